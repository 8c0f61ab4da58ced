"""ResNets of output stride 8, as in MIT CSAIL's scene parsing code (Zhou et al., CVPR 2017).

Shapes: B batch, H x W the image.
"""

from typing import Any

from mmseg.models.backbones import ResNetV1c
from torch import Tensor, nn

from mmrev.arguments import Count
from mmrev.errors import ConfigError
from mmrev.registry import MODELS

# CSAIL's name of a layer -> its index in the stem
STEM = {'conv1': 0, 'bn1': 1, 'conv2': 3, 'bn2': 4, 'conv3': 6, 'bn3': 7}


@MODELS.register_module()
class DilatedResNet(ResNetV1c):
    """ResNet with a deep stem, and with dilations instead of strides in *every* 3x3 convolution of stages 3 and 4.

    In each of these stages, the convolution that loses its stride gets half the stage's dilation (1 and 2). All later
    3x3 convolutions get the stage's dilation (2 and 4). mmseg's ``dilations`` differ: they leave the second convolution
    of a basic block (depths 18 and 34) at dilation 1. The stem is three 3x3 convolutions of 64, 64 and 128 channels.
    Weights with CSAIL's names of the stem load.

    Args:
        stem_channels: Channels of the stem's last convolution.
        kwargs: Those of mmseg's ``ResNet`` except ``strides``, ``dilations``, ``contract_dilation`` and ``multi_grid``.
            ``deep_stem`` is always on.

    Shape:
        [B, 3, H, W] -> four feature maps; the last three have the size H/8 x W/8.

    Raises:
        ConfigError: Strides or dilations are given.

    Example:
        >>> import torch
        >>> network = DilatedResNet(depth=18, stem_channels=8, base_channels=8)
        >>> [tuple(feature.shape[1:]) for feature in network(torch.randn(2, 3, 64, 64))]
        [(8, 16, 16), (16, 8, 8), (32, 8, 8), (64, 8, 8)]
    """

    def __init__(self, *, stem_channels: Count = 128, **kwargs: Any) -> None:
        if given := kwargs.keys() & {'strides', 'dilations', 'contract_dilation', 'multi_grid'}:
            raise ConfigError(
                'DilatedResNet has its own strides and dilations: leave out '
                f'{", ".join(sorted(given))}, or use ResNetV1c'
            )
        super().__init__(stem_channels=stem_channels, **kwargs)
        for name, dilation in zip(self.res_layers[2:], (2, 4), strict=False):  # num_stages may be below 4
            for module in getattr(self, name).modules():
                if isinstance(module, nn.Conv2d):
                    _dilate(module, dilation)

    def train(self, mode: bool = True) -> 'DilatedResNet':
        super().train(mode)
        return self  # torch's train() returns the module, but mmseg's returns None

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        if f'{prefix}conv3.weight' in state_dict:
            for key in [key for key in state_dict if key.startswith(prefix)]:
                layer, _, weight = key.removeprefix(prefix).partition('.')
                if layer in STEM:
                    state_dict[f'{prefix}stem.{STEM[layer]}.{weight}'] = state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, *args)


def _dilate(conv: nn.Conv2d, dilation: int) -> None:
    """Removes the stride of a convolution. Dilates a 3x3 one, by half if it had a stride."""
    strided = conv.stride != (1, 1)
    conv.stride = (1, 1)
    if conv.kernel_size == (3, 3):
        conv.dilation = conv.padding = (dilation // 2,) * 2 if strided else (dilation,) * 2
