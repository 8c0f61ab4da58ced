"""The papers' ideas in pure torch: nothing below this folder imports OpenMMLab."""

from .cbam import CBAM
from .hypercolumn import HypercolumnConv
from .modified_grn import ModifiedGRN
from .region_attention import RegionAttention, boundary_labels, region_attention_losses
from .region_layers import RegionScores
from .regions import Regions, pairwise_boundary, pairwise_similarity, region_construction, region_interaction
from .residual_addition import CBAMAddition, ReverseAttentionAddition, SEAddition
from .reverse_attention import BranchScores, ReverseAttention, reverse_attention, reverse_attention_losses
from .scale_attention import AttentionMaps, ScaleAttention
from .scale_fusion import fuse_scales, location_attention
from .squeeze_excitation import SqueezeExcitation

__all__ = [
    'AttentionMaps',
    'BranchScores',
    'CBAM',
    'CBAMAddition',
    'HypercolumnConv',
    'ModifiedGRN',
    'RegionAttention',
    'RegionScores',
    'Regions',
    'ReverseAttention',
    'ReverseAttentionAddition',
    'SEAddition',
    'ScaleAttention',
    'SqueezeExcitation',
    'boundary_labels',
    'fuse_scales',
    'location_attention',
    'pairwise_boundary',
    'pairwise_similarity',
    'region_attention_losses',
    'region_construction',
    'region_interaction',
    'reverse_attention',
    'reverse_attention_losses',
]
