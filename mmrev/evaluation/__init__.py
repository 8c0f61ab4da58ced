"""Steps after the network: the dense CRF. Pure NumPy and SciPy."""

from .dense_crf import dense_crf

__all__ = ['dense_crf']
