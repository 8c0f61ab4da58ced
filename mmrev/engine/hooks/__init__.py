from .check_weights_hook import CheckWeightsHook
from .graceful_stop_hook import GracefulStopHook
from .progress_bar_hook import ProgressBarHook

__all__ = ['CheckWeightsHook', 'GracefulStopHook', 'ProgressBarHook']
