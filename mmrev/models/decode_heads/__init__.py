from .large_fov_head import ASPPV2Head, LargeFOVHead
from .reverse_attention_head import ReverseAttentionHead
from .scale_attention_head import ScaleAttentionHead

__all__ = ['ASPPV2Head', 'LargeFOVHead', 'ReverseAttentionHead', 'ScaleAttentionHead']
