"""The papers' ideas in pure torch: nothing below this folder imports OpenMMLab."""
from .cbam import CBAM
from .hypercolumn import HypercolumnConv
from .modified_grn import ModifiedGRN
from .residual_addition import CBAMAddition, ReverseAttentionAddition, SEAddition
from .reverse_attention import reverse_attention
from .scale_fusion import fuse_scales, location_attention
from .squeeze_excitation import SqueezeExcitation

__all__ = ['CBAM', 'CBAMAddition', 'HypercolumnConv', 'ModifiedGRN', 'ReverseAttentionAddition', 'SEAddition',
           'SqueezeExcitation', 'fuse_scales', 'location_attention', 'reverse_attention']
