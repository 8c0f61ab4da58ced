from .check_weights_hook import CheckWeightsHook
from .graceful_stop_hook import GracefulStopHook
from .progress_bar_hook import ProgressBarHook
from .region_pictures_hook import RegionPicturesHook
from .temperature_annealing_hook import TemperatureAnnealingHook

__all__ = ['CheckWeightsHook', 'GracefulStopHook', 'ProgressBarHook', 'RegionPicturesHook', 'TemperatureAnnealingHook']
