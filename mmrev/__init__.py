"""Reverse attention for OpenMMLab: build any part of it with ``type='mmrev.<Name>'``."""

from importlib import import_module
from typing import Any

from .version import __version__

# imported on first use, because they need torch and a host
_LATER = {'Predictor': 'prediction', 'find_config': 'config_files', 'predict': 'prediction'}

__all__ = ['Predictor', '__version__', 'find_config', 'predict']


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f'{__name__}.{_LATER[name]}'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
