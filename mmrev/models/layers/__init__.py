"""The papers' ideas in pure torch: nothing below this folder imports OpenMMLab."""
from .cbam import CBAM
from .modified_grn import ModifiedGRN
from .residual_addition import CBAMAddition, ReverseAttentionAddition, SEAddition
from .reverse_attention import reverse_attention
from .squeeze_excitation import SqueezeExcitation

__all__ = ['CBAM', 'CBAMAddition', 'ModifiedGRN', 'ReverseAttentionAddition', 'SEAddition', 'SqueezeExcitation',
           'reverse_attention']
