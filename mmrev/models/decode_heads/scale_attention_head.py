"""The attention model of "Attention to Refine through Multi-Scales" (Yang and Peng, PCM 2018).

Shapes: B batch, S scales, N classes, h x w the largest feature map of the largest scale.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from typing import Any

from mmcv.cnn import build_activation_layer, build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrev.arguments import Count, Counts, Index, ObjectConfig, Positive
from mmrev.errors import ConfigError
from mmrev.registry import MODELS

from ..layers.scale_attention import AttentionMaps, ScaleAttention
from ..layers.scale_fusion import Recalibration

WHERE_IT_BELONGS = (
    "ScaleAttentionHead fuses several scales: set type='mmrev.MultiScaleEncoderDecoder' for the model, and give this "
    'head as its fusion, or with head=dict(...) as its decode_head'
)


@MODELS.register_module()
class ScaleAttentionHead(ScaleAttention, BaseModule):
    """Learns which input scale to trust at each pixel, and which class (figure 1).

    This is a ``fusion`` of ``MultiScaleEncoderDecoder`` for the score maps of any decode head. It can also be written
    as the ``decode_head``, around that head. Both spellings build the same model.

    For each scale, feature maps of several stages are resized to the largest (stride 4 in the paper), concatenated, and
    convolved with the scale's own dilation. The results of all scales are concatenated. Two parallel branches of two
    convolutions (3x3, 1x1) then give the location attention (equation 2) and the recalibration. Equations 1, 3 and 4
    fuse the score maps with them. The final scores and the scores of each scale have the losses of the decode head.

    Attention-to-Scale (Chen et al., CVPR 2016), the base model of table 2, is the special case ``multi_stage=False,
    conv_per_scale=False, recalibration=None``.

    Args:
        in_channels: The channels of the feature maps. The penultimate layer is the last.
        num_classes: N, the number of score maps of the decode head. The default is that of ``head``.
        head: The decode head whose scores are fused, if this is the ``decode_head`` of the segmentor.
        scales: The ``scales`` of the segmentor, if this is its ``decode_head``.
        in_index: The indices of the feature maps in the output of the backbone (or neck). By default 0, 1, 2, ...
        dilations: The dilation of each scale's own convolution, in the order of the scales.
        multi_stage: Whether all feature maps are used, or only the last (table 2, "multi-stage").
        diverse_dilations: Whether ``dilations`` are used, or standard convolutions (table 2, "diverse dilation").
        location_attention: Whether the location attention is learned, or all scales weigh the same (table 2).
        recalibration: How the recalibrating branch (table 2, "extra branch") changes the scores: ``'multiply'``,
            ``'add'`` (a bias, the end of section 2.2), or None for no such branch.
        conv_per_scale: Whether each scale has its own convolution before the branches.
        scale_channels: The output channels of these convolutions.
        channels: The hidden channels of both branches.
        norm_cfg: The norm after each convolution except the last of each branch. None by default, as in VGG.
        act_cfg: The activation after each of these convolutions.
        align_corners: How maps are resized. It must be that of the decode head; with ``head`` this is the default.
        init_cfg: All convolutions start from small weights, as in DeepLab. The feature maps of VGG reach 100, and
            attention that starts far from uniform saturates.

    Shape:
        feature maps [B, C_i, h_i, w_i] of each scale -> attention [B, S, h, w], recalibration [B, N, h, w].

    Raises:
        ConfigError: ``recalibration`` is unknown, there is nothing to learn, the lists have different lengths, or the
            model does not run several scales.

    Reading: The text gives small scales a large field of view, but section 3 has "2 for small scale and 12 for large".
    The default is the printed numbers, for scales (1.0, 0.5). The other reading is ``dilations=(2, 12)``. Each scale is
    convolved at its own resolution. The paper prints no widths: 512 is that of Attention-to-Scale, 256 is ours. A bias
    has no sigmoid.

    Example:
        >>> import torch
        >>> attention = ScaleAttentionHead([4, 8], num_classes=5, dilations=(2, 1), channels=6, scale_channels=3)
        >>> features = [[torch.zeros(1, 4, s, s), torch.zeros(1, 8, s // 2, s // 2)] for s in (16, 8)]
        >>> maps = attention.attend([attention.scale_features(features[i], i) for i in range(2)])
        >>> maps.attention.shape, maps.recalibration.shape
        (torch.Size([1, 2, 16, 16]), torch.Size([1, 5, 16, 16]))
        >>> attention.fuse([torch.zeros(1, 5, s, s) for s in (8, 4)], maps).shape
        torch.Size([1, 5, 16, 16])
    """

    attends = True

    def __init__(
        self,
        in_channels: Count | Counts,
        num_classes: Index = 0,
        *,
        head: ObjectConfig | None = None,
        scales: Positive | Sequence[Positive] | None = None,
        in_index: int | Sequence[int] | None = None,
        dilations: Counts = (12, 2),
        multi_stage: bool = True,
        diverse_dilations: bool = True,
        location_attention: bool = True,
        recalibration: Recalibration | None = 'multiply',
        conv_per_scale: bool = True,
        scale_channels: Count = 256,
        channels: Count = 512,
        norm_cfg: ObjectConfig | None = None,
        act_cfg: ObjectConfig = dict(type='ReLU', inplace=True),
        align_corners: bool = False,
        init_cfg: dict | list[dict] | None = dict(type='Normal', layer='Conv2d', std=0.01),
    ) -> None:
        if head is not None or scales is not None:  # MultiScaleEncoderDecoder takes both out
            raise ConfigError(WHERE_IT_BELONGS)
        super().__init__(
            in_channels,
            num_classes,
            in_index=in_index,
            dilations=dilations,
            multi_stage=multi_stage,
            diverse_dilations=diverse_dilations,
            location_attention=location_attention,
            recalibration=recalibration,
            conv_per_scale=conv_per_scale,
            scale_channels=scale_channels,
            channels=channels,
            norm=_norm(norm_cfg),
            activation=partial(build_activation_layer, act_cfg),
            align_corners=align_corners,
        )
        self.init_cfg = deepcopy(init_cfg)  # ScaleAttention calls BaseModule's constructor without it

    def reset_parameters(self) -> None:
        """Leaves the first weights to ``init_cfg``."""

    def __getattr__(self, name: str) -> Any:
        if name in ('out_channels', 'loss'):  # EncoderDecoder asks its decode head and its auxiliary heads for them
            raise _NoDecodeHead(WHERE_IT_BELONGS)
        return super().__getattr__(name)

    def check(self, head: nn.Module, scales: Sequence[float], learns: bool) -> None:
        """Raises a ConfigError if the attention model does not fit. ``learns`` says if the fused scores have losses."""
        if not learns:
            raise ConfigError(
                f'{type(head).__name__} has a loss of its own, for each scale alone, so ScaleAttentionHead would not '
                "learn: use another decode head, or fusion='avg'"
            )
        if self.num_scales != len(scales):
            raise ConfigError(
                f'ScaleAttentionHead has {self.num_scales} dilations, for as many scales, but scales={scales}: '
                'give one dilation for each scale, in their order'
            )
        if len(scales) == 1 and self.recalibration is None:
            raise ConfigError(
                f'location attention chooses between scales, and scales={scales} is one: give more scales, or keep the '
                'recalibration'
            )
        if self.align_corners != head.align_corners:
            raise ConfigError(
                f'align_corners is {head.align_corners} in the decode head and {self.align_corners} in '
                'ScaleAttentionHead: give both the same'
            )
        if self.recalibration and self.num_classes != head.out_channels:
            raise ConfigError(
                f'ScaleAttentionHead recalibrates num_classes={self.num_classes} score maps, the decode head gives '
                f'{head.out_channels}: give both the same number'
            )

    def attend(self, scale_features: Sequence[Sequence[Tensor]]) -> AttentionMaps:
        """Returns the maps, from what ``scale_features`` returned for each scale, in the order of the scales."""
        return self(scale_features)

    def forward(self, scale_features: Sequence[Sequence[Tensor]]) -> AttentionMaps:  # type: ignore[override]
        return super().attend(scale_features)


class _NoDecodeHead(ConfigError, AttributeError):
    """Also an AttributeError, so that ``hasattr`` still works."""


def _norm(norm_cfg: dict | None) -> Callable[[int], nn.Module] | None:
    """Makes a norm from its channels."""
    return (lambda channels: build_norm_layer(norm_cfg, channels)[1]) if norm_cfg else None
