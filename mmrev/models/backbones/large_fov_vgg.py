"""VGG as in DeepLab-LargeFOV (Chen et al., ICLR 2015).

Shapes: B batch, H x W the image, h x w = H/8 x W/8 rounded up.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from mmcv.cnn import VGG
from mmcv.cnn.vgg import make_vgg_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrev.arguments import Bounds, Count, NotEmpty, Share
from mmrev.registry import MODELS

STAGES = 5
FC7 = STAGES  # its index among the feature maps
WINDOW = 7  # width, in pixels, of the window that fc6 sees in the ImageNet classifier


@MODELS.register_module()
class LargeFOVVGG(BaseModule):
    """VGG at output stride 8, with its linear layers fc6 and fc7 as convolutions.

    The max pools are 3x3. The last two have stride 1, and stage 5 has dilation 2 to make up for it. A 3x3 average pool
    follows the fifth max pool. Then come fc6 (3x3, dilated) and fc7 (1x1), each with ReLU and dropout. The decode head
    has the classifier fc8: ``FCNHead`` with ``num_convs=0, concat_input=False, channels=1024``.

    The layers have torchvision's names, ``features.N``. The linear layers ``classifier.0`` and ``classifier.3`` of a
    whole VGG load too. They are thinned out to fc6 and fc7: every fourth unit, and rows and columns 0, 3 and 6 of the
    window.

    Args:
        depth: 11, 13, 16 or 19.
        out_indices: Feature maps to return. 0 to 4 are the stages before their pools, at strides 1, 2, 4, 8 and 8. 5 is
            fc7.
        fc_channels: Channels of fc6 and fc7.
        fc_dilation: Dilation of fc6. LargeFOV has 12.
        dropout_ratio: Dropout after fc6 and fc7.
        frozen_stages: The number of first stages that do not learn.
        init_cfg: As in mmengine.

    Shape:
        images [B, 3, H, W] -> the feature maps of ``out_indices``; fc7 is [B, fc_channels, h, w].

    Raises:
        ConfigError: ``depth``, an index or ``frozen_stages`` is out of range.

    Example:
        >>> import torch
        >>> network = LargeFOVVGG(depth=11, fc_channels=16)
        >>> [tuple(feature.shape[1:]) for feature in network(torch.randn(1, 3, 33, 33))]
        [(256, 9, 9), (512, 5, 5), (512, 5, 5), (16, 5, 5)]
    """

    def __init__(
        self,
        depth: Literal[11, 13, 16, 19] = 16,
        *,
        out_indices: Annotated[Sequence[Annotated[int, Bounds(0, FC7)]], NotEmpty()] = (2, 3, 4, 5),
        fc_channels: Count = 1024,
        fc_dilation: Count = 12,
        dropout_ratio: Share = 0.5,
        frozen_stages: Annotated[int, Bounds(0, STAGES)] = 0,
        init_cfg: dict | list[dict] | None = dict(type='Kaiming', layer='Conv2d'),
    ) -> None:
        super().__init__(init_cfg)
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

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        for linear, name, window in (('classifier.0', 'fc6', WINDOW), ('classifier.3', 'fc7', 1)):
            if f'{prefix}{linear}.weight' not in state_dict:
                continue
            weight, bias = (state_dict.pop(f'{prefix}{linear}.{part}') for part in ('weight', 'bias'))
            conv = getattr(self, name)
            state_dict[f'{prefix}{name}.weight'] = thin_out(weight, conv, window)
            state_dict[f'{prefix}{name}.bias'] = bias[:: len(bias) // conv.out_channels]
        super()._load_from_state_dict(state_dict, prefix, *args)


def thin_out(linear: Tensor, conv: nn.Conv2d, window: int) -> Tensor:
    """Keeps a regular subset of a linear layer's weights, as the weight of a convolution.

    Args:
        linear: The weight of a linear layer over ``window`` x ``window`` pixels.
        conv: The convolution that gets the weight. Its channels say how many units and inputs remain.
        window: Rows and columns 0, 3, 6 and so on of the window remain.

    Shape:
        linear [units, inputs * window * window] -> the shape of ``conv.weight``.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> thin_out(torch.zeros(8, 4 * 49), nn.Conv2d(2, 4, 3), window=7).shape
        torch.Size([4, 2, 3, 3])
    """
    units = len(linear)
    kernel = linear.view(units, -1, window, window)
    inputs = kernel.shape[1] // conv.in_channels
    return kernel[:: units // conv.out_channels, ::inputs, ::3, ::3]
