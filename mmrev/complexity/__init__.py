"""Counts the parameters and FLOPs of a config's model."""

from .counting import Complexity, complexity, count, input_shape

__all__ = ['Complexity', 'complexity', 'count', 'input_shape']
