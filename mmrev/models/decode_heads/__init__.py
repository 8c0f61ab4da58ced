from .large_fov_head import ASPPV2Head, LargeFOVHead
from .region_attention_head import RegionAttentionHead
from .reverse_attention_head import ReverseAttentionHead
from .scale_attention_head import ScaleAttentionHead

__all__ = ['ASPPV2Head', 'LargeFOVHead', 'RegionAttentionHead', 'ReverseAttentionHead', 'ScaleAttentionHead']
