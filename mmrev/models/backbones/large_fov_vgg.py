"""VGG as DeepLab-LargeFOV runs it (Chen et al., ICLR 2015).

Shapes: B batch, H x W the image, h x w = H/8 x W/8 rounded up.
"""

from collections.abc import Sequence

from mmcv.cnn import VGG
from mmcv.cnn.vgg import make_vgg_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrev.errors import ConfigError
from mmrev.registry import MODELS

STAGES = 5
FC7 = STAGES
WINDOW = 7  # pixels that fc6 sees in the ImageNet classifier


@MODELS.register_module()
class LargeFOVVGG(BaseModule):
    """VGG at output stride 8, its linear layers fc6 and fc7 as convolutions.

    The max pools are 3x3; the last two have stride 1, and stage 5 has dilation 2 for it. After the fifth comes a 3x3
    average pool, then fc6 (3x3, dilated) and fc7 (1x1), each with ReLU and dropout. The classifier fc8 is the decode
    head's: ``FCNHead`` with ``num_convs=0, concat_input=False, channels=1024``.

    The layers have torchvision's names, ``features.N``. A whole VGG's ``classifier.0`` and ``classifier.3`` are
    thinned out to fc6 and fc7 as they are loaded: every fourth unit, and rows and columns 0, 3 and 6 of the window.

    Args:
        depth: 11, 13, 16 or 19.
        out_indices: Feature maps to return: 0 to 4 the stages before their pools, at strides 1, 2, 4, 8 and 8; 5 fc7.
        fc_channels: Of fc6 and fc7.
        fc_dilation: Of fc6: 12 is LargeFOV.
        dropout_ratio: After fc6 and fc7.
        frozen_stages: How many of the stages do not learn.
        init_cfg: As in mmengine.

    Raises:
        ConfigError: ``depth``, an index or ``frozen_stages`` is none of these.
    """

    def __init__(
        self,
        depth: int = 16,
        *,
        out_indices: Sequence[int] = (2, 3, 4, 5),
        fc_channels: int = 1024,
        fc_dilation: int = 12,
        dropout_ratio: float = 0.5,
        frozen_stages: int = 0,
        init_cfg: dict | list[dict] | None = dict(type='Kaiming', layer='Conv2d'),
    ) -> None:
        super().__init__(init_cfg)
        if depth not in VGG.arch_settings:
            known = ', '.join(map(str, VGG.arch_settings))
            raise ConfigError(f'unknown depth {depth} of LargeFOVVGG: use one of {known}')
        if not set(out_indices) <= set(range(FC7 + 1)):
            raise ConfigError(f'out_indices={tuple(out_indices)} of LargeFOVVGG: expected stages 0 to 4, or 5 for fc7')
        if frozen_stages not in range(STAGES + 1):
            raise ConfigError(f'frozen_stages={frozen_stages} of LargeFOVVGG: expected 0 to {STAGES}')
        self.out_indices = tuple(out_indices)
        self.features, self.stage_ends, channels = nn.Sequential(), [], 3
        for stage, convs in enumerate(VGG.arch_settings[depth]):
            width = min(64 * 2**stage, 512)
            *layers, _ = make_vgg_layer(channels, width, convs, dilation=2 if stage == STAGES - 1 else 1)
            self.features.extend([*layers, nn.MaxPool2d(3, stride=2 if stage < 3 else 1, padding=1)])
            self.stage_ends.append(len(self.features))
            channels = width
        self.average_pool = nn.AvgPool2d(3, stride=1, padding=1)
        self.fc6 = nn.Conv2d(channels, fc_channels, 3, padding=fc_dilation, dilation=fc_dilation)
        self.fc7 = nn.Conv2d(fc_channels, fc_channels, 1)
        self.after_fc = nn.Sequential(nn.ReLU(inplace=True), nn.Dropout(dropout_ratio))
        if frozen_stages:
            self.features[: self.stage_ends[frozen_stages - 1]].requires_grad_(False)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """[B, 3, H, W] -> the feature maps of ``out_indices``; fc7 is [B, fc_channels, h, w]."""
        maps, x, start = {}, images, 0
        for stage, end in enumerate(self.stage_ends):
            before_pool = self.features[start : end - 1](x)
            if stage in self.out_indices:
                maps[stage] = before_pool
            x, start = self.features[end - 1](before_pool), end
        if FC7 in self.out_indices:
            x = self.after_fc(self.fc6(self.average_pool(x)))
            maps[FC7] = self.after_fc(self.fc7(x))
        return tuple(maps[index] for index in self.out_indices)

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args) -> None:
        for linear, conv, window in (('classifier.0', 'fc6', WINDOW), ('classifier.3', 'fc7', 1)):
            if f'{prefix}{linear}.weight' not in state_dict:
                continue
            weight, bias = (state_dict.pop(f'{prefix}{linear}.{part}') for part in ('weight', 'bias'))
            state_dict[f'{prefix}{conv}.weight'] = thin_out(weight, getattr(self, conv), window)
            state_dict[f'{prefix}{conv}.bias'] = bias[:: len(bias) // getattr(self, conv).out_channels]
        super()._load_from_state_dict(state_dict, prefix, *args)


def thin_out(linear: Tensor, conv: nn.Conv2d, window: int) -> Tensor:
    """Every so many units of a linear layer over ``window`` x ``window`` pixels, as the weight of a convolution."""
    units = len(linear)
    kernel = linear.view(units, -1, window, window)
    inputs = kernel.shape[1] // conv.in_channels
    return kernel[:: units // conv.out_channels, ::inputs, ::3, ::3]
