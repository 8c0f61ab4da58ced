"""ResNets of output stride 8 as MIT CSAIL's scene parsing code has them (Zhou et al., CVPR 2017)."""

from mmseg.models.backbones import ResNetV1c
from torch import Tensor, nn

from mmrev.errors import ConfigError
from mmrev.registry import MODELS

# CSAIL's names of the stem's layers
STEM = {'conv1': 0, 'bn1': 1, 'conv2': 3, 'bn2': 4, 'conv3': 6, 'bn3': 7}


@MODELS.register_module()
class DilatedResNet(ResNetV1c):
    """mmseg's ResNet with stages 3 and 4 dilated instead of strided, in *every* 3x3 convolution, and a deep stem.

    mmseg's own ``dilations`` leave the second convolution of a basic block (depths 18 and 34) at dilation 1. Here the
    convolution that loses its stride has half the stage's dilation (1 in stage 3, 2 in stage 4), all later 3x3
    convolutions of the stage have it whole (2 and 4). The stem is three 3x3 convolutions of 64, 64 and 128 channels;
    weights with CSAIL's names for it load.

    Args:
        kwargs: As in mmseg's ``ResNet``, less ``strides``, ``dilations`` and ``deep_stem``.

    Raises:
        ConfigError: Strides or dilations are given.
    """

    def __init__(self, *, stem_channels: int = 128, **kwargs) -> None:
        if given := kwargs.keys() & {'strides', 'dilations', 'contract_dilation', 'multi_grid'}:
            raise ConfigError(
                'DilatedResNet has its own strides and dilations: leave out '
                f'{", ".join(sorted(given))}, or use ResNetV1c'
            )
        super().__init__(stem_channels=stem_channels, **kwargs)
        for name, dilation in zip(self.res_layers[2:], (2, 4), strict=False):  # num_stages may be below 4
            for conv in (module for module in getattr(self, name).modules() if isinstance(module, nn.Conv2d)):
                _dilate(conv, dilation)

    def train(self, mode: bool = True) -> 'DilatedResNet':
        super().train(mode)  # mmseg's returns None
        return self

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args) -> None:
        if f'{prefix}conv3.weight' in state_dict:
            for key in [key for key in state_dict if key.startswith(prefix)]:
                layer, _, weight = key.removeprefix(prefix).partition('.')
                if layer in STEM:
                    state_dict[f'{prefix}stem.{STEM[layer]}.{weight}'] = state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, *args)


def _dilate(conv: nn.Conv2d, dilation: int) -> None:
    """Takes the stride of a convolution away, or widens a 3x3 convolution behind such a one."""
    strided = conv.stride != (1, 1)
    conv.stride = (1, 1)
    if conv.kernel_size == (3, 3):
        conv.dilation = conv.padding = (dilation // 2,) * 2 if strided else (dilation,) * 2
