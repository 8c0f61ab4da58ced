"""Predictions for the user's own pictures and videos: masks, boxes or labels, from a trained model of any host."""

from .folder import Report, predict
from .predictor import Prediction, Predictor

__all__ = ['Prediction', 'Predictor', 'Report', 'predict']
