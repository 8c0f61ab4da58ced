"""The neck of "HRNetV2-W48+ASPP", a row in table 5 of RANet. The paper gives no more than this name.

Shapes: B batch, C_i channels and H_i x W_i size of feature map i, C and H x W those of the result.
"""

from collections.abc import Sequence

import torch
from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmseg.models.decode_heads.aspp_head import ASPPModule
from mmseg.models.utils import resize
from torch import Tensor, nn

from mmrev.arguments import Count, Counts, Index, ObjectConfig
from mmrev.registry import MODELS


@MODELS.register_module()
class ConcatASPP(BaseModule):
    """Resizes all maps of a backbone to one size, concatenates them, and applies an ASPP with image pooling.

    A 1x1 convolution joins the branches of the ASPP.

    Args:
        in_channels: The channels of each map.
        size_of: The index of the map that gives the size.
        inner_channels: The channels of each branch of the ASPP.
        channels: C.
        dilations: The dilation of each branch. The default is that of the authors' code.
        norm_cfg: The norm of each convolution.
        act_cfg: The activation of each convolution.
        align_corners: How maps are resized.

    Shape:
        feature maps [B, C_i, H_i, W_i] -> a tuple of one map [B, C, H, W].

    Example:
        >>> neck = ConcatASPP([4, 8], inner_channels=2, channels=6)
        >>> neck([torch.zeros(1, 4, 16, 16), torch.zeros(1, 8, 8, 8)])[0].shape
        torch.Size([1, 6, 16, 16])
    """

    def __init__(
        self,
        in_channels: Counts,
        size_of: Index = 0,
        inner_channels: Count = 256,
        channels: Count = 512,
        dilations: Counts = (1, 12, 24, 36),
        norm_cfg: ObjectConfig | None = None,
        act_cfg: ObjectConfig | None = dict(type='ReLU'),
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        self.size_of, self.align_corners = size_of, align_corners
        width, style = sum(in_channels), dict(norm_cfg=norm_cfg, act_cfg=act_cfg)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), ConvModule(width, inner_channels, 1, **style))
        self.aspp = ASPPModule(dilations, width, inner_channels, conv_cfg=None, **style)
        self.bottleneck = ConvModule((len(dilations) + 1) * inner_channels, channels, 1, **style)

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor]:
        size = inputs[self.size_of].shape[2:]
        maps = torch.cat([resize(m, size, mode='bilinear', align_corners=self.align_corners) for m in inputs], dim=1)
        pooled = self.pool(maps).expand(-1, -1, *size)
        return (self.bottleneck(torch.cat([pooled, *self.aspp(maps)], dim=1)),)
