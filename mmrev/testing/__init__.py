"""Checks that a config runs: it makes tiny copies of the config's data sets and trains two iterations on them."""

from .quick import quick_config, run_quick
from .tiny_data import make_tiny_dataset

__all__ = ['make_tiny_dataset', 'quick_config', 'run_quick']
