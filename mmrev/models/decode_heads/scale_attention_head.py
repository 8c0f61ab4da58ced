"""The attention model of "Attention to Refine through Multi-Scales" (Yang and Peng, PCM 2018).

Shapes: B batch, S scales, N classes, h x w the largest feature map of the largest scale.
"""

from collections.abc import Sequence
from functools import partial, reduce
from itertools import chain
from typing import Any, NamedTuple

import torch
from mmcv.cnn import build_activation_layer, build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrev.arguments import Count, Counts, Index, ObjectConfig, Positive
from mmrev.errors import ConfigError
from mmrev.registry import MODELS

from ..layers.hypercolumn import HypercolumnConv
from ..layers.resizing import to_largest
from ..layers.scale_fusion import Recalibration, fuse_scales, location_attention

WHERE_IT_BELONGS = (
    "ScaleAttentionHead fuses several scales: set type='mmrev.MultiScaleEncoderDecoder' for the model, and give this "
    'head as its fusion, or with head=dict(...) as its decode_head'
)


class AttentionMaps(NamedTuple):
    """The maps of the attention model for a batch of images.

    Args:
        attention: l, [B, S, h, w], in [0, 1]. The sum over the scales is 1.
        recalibration: r, [B, N, h, w]: factors in (0, 1), or any bias in mode ``'add'``. None without this branch.
    """

    attention: Tensor
    recalibration: Tensor | None


@MODELS.register_module()
class ScaleAttentionHead(BaseModule):
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
        super().__init__(init_cfg)
        _check(num_classes, location_attention, recalibration)
        widths, self.in_index = _matched(in_channels, in_index)
        if not multi_stage:
            widths, self.in_index = widths[-1:], self.in_index[-1:]
        self.in_channels = widths
        self.num_scales, self.num_classes = len(dilations), num_classes
        self.recalibration, self.align_corners = recalibration, align_corners
        block = partial(_block, norm_cfg=norm_cfg, act_cfg=act_cfg, align=align_corners)
        self.scale_convs = None
        if conv_per_scale:
            own = dilations if diverse_dilations else [1] * self.num_scales
            self.scale_convs = nn.ModuleList(block(widths, scale_channels, dilation) for dilation in own)
            widths = [scale_channels]
        self.location_conv: nn.Module | None = None
        self.recalibrating_conv: nn.Module | None = None
        if location_attention:
            self.location_conv = block(widths * self.num_scales, channels, 1)
            self.location_scores = nn.Conv2d(channels, self.num_scales, 1)
        if recalibration:
            self.recalibrating_conv = block(widths * self.num_scales, channels, 1)
            self.recalibrating_scores = nn.Conv2d(channels, num_classes, 1)

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

    def scale_features(self, inputs: Sequence[Tensor], index: int) -> tuple[Tensor, ...]:
        """Selects and convolves the feature maps of scale number ``index``.

        Returns:
            The result of the scale's own convolution, [B, scale_channels, h, w]. Without one, the selected maps.

        Raises:
            ConfigError: The feature maps are not those of ``in_channels`` and ``in_index``.
        """
        there = [feature.shape[1] for feature in inputs]
        selected = tuple(inputs[i] for i in self.in_index if -len(inputs) <= i < len(inputs))
        if [feature.shape[1] for feature in selected] != self.in_channels:
            raise ConfigError(
                f'ScaleAttentionHead expects feature maps number {self.in_index} with {self.in_channels} '
                f'channels, the backbone gives maps of {there}: mend in_channels or in_index'
            )
        return selected if self.scale_convs is None else (self.scale_convs[index](selected),)

    def attend(self, scale_features: Sequence[Sequence[Tensor]]) -> AttentionMaps:
        """Returns the maps, from what :meth:`scale_features` returned for each scale, in the order of the scales."""
        return self(scale_features)

    def forward(self, scale_features: Sequence[Sequence[Tensor]]) -> AttentionMaps:
        seen = list(chain.from_iterable(scale_features))
        attention: Tensor | None = None
        recalibration: Tensor | None = None
        if self.location_conv is not None:
            attention = location_attention(self.location_scores(self.location_conv(seen)))
        if self.recalibrating_conv is not None:
            recalibration = self.recalibrating_scores(self.recalibrating_conv(seen))
            if self.recalibration == 'multiply':
                recalibration = recalibration.sigmoid()
        if attention is None:
            assert recalibration is not None, 'one of the two branches is there'
            batch, _, *size = recalibration.shape
            attention = recalibration.new_full((batch, self.num_scales, *size), 1 / self.num_scales)
        return AttentionMaps(attention, recalibration)

    def fuse(self, scores: Sequence[Tensor], maps: AttentionMaps) -> Tensor:
        """Equations 1, 3 and 4 for one score map [B, N, h, w] of each scale.

        Maps with other channels than N (a boundary) are not recalibrated. Image-level scores [B, N] are averaged.

        Returns:
            The fused scores, at the size of the largest of the score maps and attention maps.
        """
        if scores[0].dim() != 4:
            return reduce(torch.add, scores) / len(scores)
        attention, recalibration = maps
        if recalibration is None or self.recalibration is None or scores[0].shape[1] != self.num_classes:
            *scores, attention = to_largest([*scores, attention], self.align_corners)
            return fuse_scales(scores, attention)
        *scores, attention, recalibration = to_largest([*scores, attention, recalibration], self.align_corners)
        return fuse_scales(scores, attention, recalibration, self.recalibration)


class _NoDecodeHead(ConfigError, AttributeError):
    """Also an AttributeError, so that ``hasattr`` still works."""


def _block(widths: Sequence[int], channels: int, dilation: int, norm_cfg: dict | None, act_cfg: dict, align: bool):
    conv = HypercolumnConv(widths, channels, dilation, align, bias=norm_cfg is None)
    norm = [build_norm_layer(norm_cfg, channels)[1]] if norm_cfg else []
    return nn.Sequential(conv, *norm, build_activation_layer(act_cfg))


def _check(num_classes: int, location_attention: bool, recalibration: str | None) -> None:
    if recalibration is None and not location_attention:
        raise ConfigError("ScaleAttentionHead without location attention and recalibration: use fusion='avg'")
    if num_classes < 1:
        raise ConfigError(f'ScaleAttentionHead: num_classes={num_classes}, expected that of the decode head')


def _matched(in_channels: int | Sequence[int], in_index: int | Sequence[int] | None) -> tuple[list[int], list[int]]:
    """Returns both as lists of one length."""
    widths = _as_list(in_channels)
    indices = list(range(len(widths))) if in_index is None else _as_list(in_index)
    if not widths or len(indices) != len(widths):
        raise ConfigError(
            f'ScaleAttentionHead: in_channels={in_channels} and in_index={in_index} must be as long as each other: '
            'give one entry for each feature map'
        )
    return widths, indices


def _as_list(values: int | Sequence[int]) -> list[int]:
    return list(values) if isinstance(values, Sequence) else [values]
