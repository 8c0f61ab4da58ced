from .large_fov_head import ASPPV2Head, LargeFOVHead
from .reverse_attention_head import ReverseAttentionHead

__all__ = ['ASPPV2Head', 'LargeFOVHead', 'ReverseAttentionHead']
