"""The papers' ideas in pure torch: nothing below this folder imports OpenMMLab."""

from .cbam import CBAM
from .hypercolumn import HypercolumnConv
from .modified_grn import ModifiedGRN
from .regions import Regions, pairwise_boundary, pairwise_similarity, region_construction, region_interaction
from .residual_addition import CBAMAddition, ReverseAttentionAddition, SEAddition
from .reverse_attention import reverse_attention
from .scale_fusion import fuse_scales, location_attention
from .squeeze_excitation import SqueezeExcitation

__all__ = [
    'CBAM',
    'CBAMAddition',
    'HypercolumnConv',
    'ModifiedGRN',
    'Regions',
    'ReverseAttentionAddition',
    'SEAddition',
    'SqueezeExcitation',
    'fuse_scales',
    'location_attention',
    'pairwise_boundary',
    'pairwise_similarity',
    'region_construction',
    'region_interaction',
    'reverse_attention',
]
