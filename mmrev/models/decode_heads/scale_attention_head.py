"""The attention model of "Attention to Refine through Multi-Scales" (Yang and Peng, PCM 2018).

Shapes: B batch, S scales, N classes, h x w the largest feature map of the largest scale.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple

from mmcv.cnn import build_activation_layer, build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmrev.errors import ConfigError
from mmrev.registry import MODELS

from ..layers.hypercolumn import HypercolumnConv
from ..layers.resizing import to_largest
from ..layers.scale_fusion import RECALIBRATIONS, fuse_scales, location_attention


class AttentionMaps(NamedTuple):
    """What the attention model makes of an image."""

    attention: Tensor  # l, [B, S, h, w] in [0, 1], 1 in sum over the scales
    recalibration: Tensor | None  # r, [B, N, h, w]: in (0, 1), or any bias in mode 'add'; None without the branch


@MODELS.register_module()
class ScaleAttentionHead(BaseModule):
    """Learns which input scale to trust at each pixel, and which class (figure 1): a ``fusion`` of
    ``MultiScaleEncoderDecoder`` for the score maps of any decode head.

    Of each scale, feature maps of several stages are resized to the largest (stride 4 in the paper), concatenated and
    convolved with the scale's own dilation; the results of all scales are concatenated, and two parallel branches of
    two convolutions (3x3, 1x1) give the location attention (equation 2) and the recalibration. Equations 1, 3 and 4
    then fuse the score maps. The final scores and those of each scale have the losses of the decode head.

    Attention-to-Scale (Chen et al., CVPR 2016), table 2's base model, is this with ``multi_stage=False,
    conv_per_scale=False, recalibration=None``.

    Args:
        in_channels: Channels of the feature maps, the penultimate layer's last.
        num_classes: N, the number of the decode head's score maps.
        in_index: Which of the backbone's (or neck's) feature maps they are; by default the first, second and so on.
        dilations: Of each scale's own convolution, in the order of the segmentor's ``scales``, which it is as long as.
        multi_stage: Whether all feature maps are used, or the last alone (table 2, "multi-stage").
        diverse_dilations: Whether ``dilations`` are used, or standard convolutions (table 2, "diverse dilation").
        location_attention: Whether there is a location attention; without, all scales weigh the same (table 2).
        recalibration: How the recalibrating branch (table 2, "extra branch") changes the scores: ``'multiply'``,
            ``'add'`` (a bias, the end of section 2.2), or None for no such branch.
        conv_per_scale: Whether each scale has a convolution of its own before the branches.
        scale_channels: Output channels of these.
        channels: Hidden channels of both branches.
        norm_cfg: Norm after all convolutions but the branches' last; none by default, as in VGG.
        act_cfg: Activation after these.
        align_corners: Of every resizing; must be that of the decode head.
        init_cfg: All convolutions start from small weights, as in DeepLab: feature maps of VGG reach 100, and attention
            that starts far from uniform saturates.

    Raises:
        ConfigError: ``recalibration`` is unknown, nothing is left to learn, or the lists do not fit together.

    Reading: the text gives small scales a large field of view, section 3 has "2 for small scale and 12 for large". The
    printed numbers are the default, for scales (1.0, 0.5); the other is ``dilations=(2, 12)``. Each scale is convolved
    at its own resolution. The paper prints no widths: 512 are Attention-to-Scale's, 256 ours. A bias has no sigmoid.
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        num_classes: int,
        *,
        in_index: int | Sequence[int] | None = None,
        dilations: Sequence[int] = (12, 2),
        multi_stage: bool = True,
        diverse_dilations: bool = True,
        location_attention: bool = True,
        recalibration: Literal['multiply', 'add'] | None = 'multiply',
        conv_per_scale: bool = True,
        scale_channels: int = 256,
        channels: int = 512,
        norm_cfg: dict | None = None,
        act_cfg: dict = dict(type='ReLU', inplace=True),
        align_corners: bool = False,
        init_cfg: dict | list[dict] | None = dict(type='Normal', layer='Conv2d', std=0.01),
    ) -> None:
        super().__init__(init_cfg)
        _check(num_classes, dilations, location_attention, recalibration)
        widths, self.in_index = _matched(in_channels, in_index)
        if not multi_stage:
            widths, self.in_index = widths[-1:], self.in_index[-1:]
        self.in_channels = widths
        self.num_scales, self.num_classes = len(dilations), num_classes
        self.recalibration, self.align_corners = recalibration, align_corners

        def block(in_widths: Sequence[int], out: int, dilation: int = 1) -> nn.Sequential:
            conv = HypercolumnConv(in_widths, out, dilation, align_corners, bias=norm_cfg is None)
            norm = [build_norm_layer(norm_cfg, out)[1]] if norm_cfg else []
            return nn.Sequential(conv, *norm, build_activation_layer(act_cfg))

        self.scale_convs = None
        if conv_per_scale:
            self.scale_convs = nn.ModuleList(
                block(widths, scale_channels, dilation if diverse_dilations else 1) for dilation in dilations
            )
            widths = [scale_channels]
        branches = dict(
            location=len(dilations) if location_attention else 0, recalibrating=num_classes if recalibration else 0
        )
        for name, maps in branches.items():
            setattr(self, f'{name}_conv', block(widths * self.num_scales, channels) if maps else None)
            setattr(self, f'{name}_scores', nn.Conv2d(channels, maps, 1) if maps else None)

    def __getattr__(self, name: str) -> Any:
        if name == 'out_channels':  # what an encoder-decoder asks its decode head for
            raise _NoDecodeHead(
                'ScaleAttentionHead fuses the scores of a decode head: give it as the fusion of a '
                'mmrev.MultiScaleEncoderDecoder, beside any decode_head'
            )
        return super().__getattr__(name)

    def scale_features(self, inputs: Sequence[Tensor], index: int) -> tuple[Tensor, ...]:
        """What the attention model looks at in the feature maps of scale number ``index``: its own convolution of
        them, [B, scale_channels, h, w], or without one the maps themselves.

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

    def forward(self, scale_features: Sequence[Sequence[Tensor]]) -> AttentionMaps:
        """The maps, from what :meth:`scale_features` gave for each scale, in the order of the scales."""
        seen = list(chain.from_iterable(scale_features))
        attention = recalibration = None
        if self.location_conv is not None:
            attention = location_attention(self.location_scores(self.location_conv(seen)))
        if self.recalibrating_conv is not None:
            recalibration = self.recalibrating_scores(self.recalibrating_conv(seen))
            if self.recalibration == 'multiply':
                recalibration = recalibration.sigmoid()
        if attention is None:
            batch, _, *size = recalibration.shape
            attention = recalibration.new_full((batch, self.num_scales, *size), 1 / self.num_scales)
        return AttentionMaps(attention, recalibration)

    def fuse(self, scores: Sequence[Tensor], maps: AttentionMaps) -> Tensor:
        """Equations 1, 3 and 4 for one map [B, N, h, w] a scale; the result has the size of the largest of these and of
        the attention maps.

        Maps of another number of channels than N (of a boundary, say) are not recalibrated; what is no map (image-level
        scores) is averaged.
        """
        if scores[0].dim() != 4:
            return sum(scores) / len(scores)
        if maps.recalibration is None or scores[0].shape[1] != self.num_classes:
            *scores, attention = to_largest([*scores, maps.attention], self.align_corners)
            return fuse_scales(scores, attention)
        *scores, attention, recalibration = to_largest([*scores, *maps], self.align_corners)
        return fuse_scales(scores, attention, recalibration, self.recalibration)


class _NoDecodeHead(ConfigError, AttributeError):
    """Both, so that ``hasattr`` still works."""


def _check(num_classes: int, dilations: Sequence[int], location_attention: bool, recalibration: str | None) -> None:
    if recalibration is not None and recalibration not in RECALIBRATIONS:
        known = ', '.join(map(repr, RECALIBRATIONS))
        raise ConfigError(f'unknown recalibration {recalibration!r} of ScaleAttentionHead: use one of {known}, or None')
    if not location_attention and recalibration is None:
        raise ConfigError("ScaleAttentionHead without location attention and recalibration: use fusion='avg'")
    if (
        not isinstance(dilations, Sequence)
        or not dilations
        or not all(isinstance(dilation, int) and dilation > 0 for dilation in dilations)
    ):
        raise ConfigError(f'ScaleAttentionHead: expected a dilation above 0 a scale, such as (12, 2), not {dilations}')
    if num_classes < 1:
        raise ConfigError(f'ScaleAttentionHead: num_classes={num_classes}, expected that of the decode head')


def _matched(in_channels: int | Sequence[int], in_index: int | Sequence[int] | None) -> tuple[list[int], list[int]]:
    """Both as lists of one length."""
    widths = list(in_channels) if isinstance(in_channels, Sequence) else [in_channels]
    indices = (
        list(range(len(widths)))
        if in_index is None
        else list(in_index)
        if isinstance(in_index, Sequence)
        else [in_index]
    )
    if not widths or len(indices) != len(widths):
        raise ConfigError(
            f'ScaleAttentionHead: in_channels={in_channels} and in_index={in_index} must be as long as '
            'each other, one entry a feature map'
        )
    return widths, indices
