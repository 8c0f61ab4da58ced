from .checkpoints import read_checkpoint
from .deeplabv2 import convert_deeplabv2
from .hooks import (
    CheckWeightsHook,
    GracefulStopHook,
    ProgressBarHook,
    RegionPicturesHook,
    TemperatureAnnealingHook,
)

__all__ = ['CheckWeightsHook', 'GracefulStopHook', 'ProgressBarHook', 'RegionPicturesHook', 'TemperatureAnnealingHook',
           'convert_deeplabv2', 'read_checkpoint']
