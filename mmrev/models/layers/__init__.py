"""The papers' ideas in pure torch: nothing below this folder imports OpenMMLab."""
from .reverse_attention import reverse_attention

__all__ = ['reverse_attention']
