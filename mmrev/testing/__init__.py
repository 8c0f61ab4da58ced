"""Does a config run here? Tiny copies of its data sets' layouts, and a training of two iterations on them."""

from .quick import quick_config, run_quick
from .tiny_data import make_tiny_dataset

__all__ = ['make_tiny_dataset', 'quick_config', 'run_quick']
