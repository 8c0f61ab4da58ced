"""The residual blocks of torchvision, timm and Hugging Face's transformers: the two lists of ``Host``, for libraries.

A block is listed by the path of the class that defines its ``forward``, below the library. ``a|b`` names a part that
has another name in another release: the first one that is there counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Branch(NamedTuple):
    """A part of a block to which the block adds its own input.

    Args:
        first: The part whose input is the shortcut x; ``''`` is the block itself.
        last: The part whose output is the residual F(x).
        width_of: The part whose ``weight`` is [C, ...]. By default it is ``first``.
        channels_last: Whether maps are [B, H, W, C]. Tokens [B, L, C] need no mark.
    """

    first: str
    last: str
    width_of: str = ''
    channels_last: bool = False


@dataclass(frozen=True)
class Library:
    """The blocks of a library.

    Args:
        blocks: Blocks of two branches, and which mixin of :mod:`.residual_blocks` they get.
        branches: Blocks that add their input to a part of themselves.
    """

    blocks: Mapping[str, str] = field(default_factory=dict)
    branches: Mapping[str, Sequence[Branch]] = field(default_factory=dict)


LIBRARIES = {
    'torchvision': Library(
        blocks={
            'models.resnet.BasicBlock': 'resnet',
            'models.resnet.Bottleneck': 'resnet',
            'models.mobilenetv2.InvertedResidual': 'inverted_residual',
        },
        branches={
            'models.convnext.CNBlock': (Branch('block.0', 'stochastic_depth'),),
            'models.vision_transformer.EncoderBlock': (Branch('ln_1', 'dropout'), Branch('ln_2', 'mlp')),
            'models.swin_transformer.SwinTransformerBlock': (
                Branch('norm1', 'stochastic_depth', channels_last=True),
                Branch('norm2', 'stochastic_depth', channels_last=True),
            ),
            'models.swin_transformer.SwinTransformerBlockV2': (
                Branch('attn', 'stochastic_depth', 'norm1', channels_last=True),
                Branch('mlp', 'stochastic_depth', 'norm2', channels_last=True),
            ),
        },
    ),
    'timm': Library(
        blocks={'models.resnet.BasicBlock': 'timm_resnet', 'models.resnet.Bottleneck': 'timm_resnet'},
        branches={
            'models._efficientnet_blocks.InvertedResidual': (Branch('conv_pw', 'drop_path', 'bn3'),),
            'models._efficientnet_blocks.DepthwiseSeparableConv': (Branch('conv_dw', 'drop_path', 'bn2'),),
            'models.convnext.ConvNeXtBlock': (Branch('conv_dw', 'drop_path'),),
            'models.vision_transformer.Block': (Branch('norm1', 'drop_path1'), Branch('norm2', 'drop_path2')),
            'models.swin_transformer.SwinTransformerBlock': (
                Branch('norm1', 'drop_path1', channels_last=True),
                Branch('norm2', 'drop_path2'),
            ),
            'models.swin_transformer_v2.SwinTransformerV2Block': (
                Branch('', 'drop_path1', 'norm1', channels_last=True),
                Branch('mlp', 'drop_path2', 'norm2'),
            ),
        },
    ),
    'transformers': Library(
        blocks={
            'models.resnet.modeling_resnet.ResNetBasicLayer': 'transformers_resnet',
            'models.resnet.modeling_resnet.ResNetBottleNeckLayer': 'transformers_resnet',
        },
        branches={
            'models.convnext.modeling_convnext.ConvNextLayer': (Branch('dwconv', 'drop_path'),),
            'models.convnextv2.modeling_convnextv2.ConvNextV2Layer': (Branch('dwconv', 'drop_path'),),
            'models.vit.modeling_vit.ViTLayer': (
                Branch('layernorm_before', 'dropout|attention.output.dropout'),
                Branch('layernorm_after', 'dropout|output.dropout'),
            ),
            'models.swin.modeling_swin.SwinLayer': (
                Branch('layernorm_before', 'drop_path'),
                Branch('layernorm_after', 'dropout|output'),
            ),
        },
    ),
}
