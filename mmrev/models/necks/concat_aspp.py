"""HRNetV2's maps joined, then an ASPP: table 5 of RANet says no more than "HRNetV2-W48+ASPP"."""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.models.decode_heads.aspp_head import ASPPModule
from mmseg.models.utils import resize
from torch import Tensor, nn

from mmrev.registry import MODELS


@MODELS.register_module()
class ConcatASPP(BaseModule):
    """All maps of a backbone in one size, concatenated; ASPP with image pooling; a 1x1 convolution.

    Args:
        in_channels: Of each map.
        size_of: Index of the map whose size all take.
        inner_channels: Of each branch of the ASPP.
        channels: Of the result.
        dilations: One branch each; those of the authors' code.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        size_of: int = 0,
        inner_channels: int = 256,
        channels: int = 512,
        dilations: Sequence[int] = (1, 12, 24, 36),
        norm_cfg: dict | None = None,
        act_cfg: dict = dict(type='ReLU'),
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        self.size_of, self.align_corners = size_of, align_corners
        width, style = sum(in_channels), dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), ConvModule(width, inner_channels, 1, **style))
        self.aspp = ASPPModule(dilations, width, inner_channels, conv_cfg=None, **style)
        self.bottleneck = ConvModule((len(dilations) + 1) * inner_channels, channels, 1, **style)

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor]:
        """Maps [B, C_i, H_i, W_i] to one map [B, channels, H, W]."""
        size = inputs[self.size_of].shape[2:]
        maps = torch.cat([resize(m, size, mode='bilinear', align_corners=self.align_corners) for m in inputs], dim=1)
        pooled = self.pool(maps).expand(-1, -1, *size)
        return (self.bottleneck(torch.cat([pooled, *self.aspp(maps)], dim=1)),)
