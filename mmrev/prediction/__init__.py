"""Predictions for the user's own pictures and videos: masks, boxes or labels, from a trained model of any host."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .folder import Report
    from .predictor import Predictor
    from .results import Prediction
    from .trained import predict

# imported on first use: an exported model predicts where torch and OpenMMLab are not installed
_LATER = {'Prediction': 'results', 'Predictor': 'predictor', 'Report': 'folder', 'predict': 'trained'}

__all__ = ['Prediction', 'Predictor', 'Report', 'predict']


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f'{__name__}.{_LATER[name]}'), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
