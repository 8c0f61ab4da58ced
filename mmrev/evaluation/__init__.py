"""What happens after the network: the dense CRF."""

from .dense_crf import dense_crf

__all__ = ['dense_crf']
