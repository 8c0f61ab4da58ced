"""The attention model of "Attention to Refine through Multi-Scales" (Yang and Peng, PCM 2018) in plain torch.

Shapes: B batch, S scales, N classes, h x w the largest feature map of the largest scale.
"""

from collections.abc import Callable, Sequence
from functools import partial, reduce
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmrev.arguments import Count, Counts, checked
from mmrev.errors import ConfigError

from .classifiers import start_small
from .hypercolumn import HypercolumnConv
from .resizing import to_largest
from .scale_fusion import Recalibration, fuse_scales
from .scale_fusion import location_attention as softmax_over_scales


class AttentionMaps(NamedTuple):
    """The maps of the attention model for a batch of images.

    Args:
        attention: l, [B, S, h, w], in [0, 1]. The sum over the scales is 1.
        recalibration: r, [B, N, h, w]: factors in (0, 1), or any bias in mode ``'add'``. None without this branch.
    """

    attention: Tensor
    recalibration: Tensor | None


@checked
class ScaleAttention(nn.Module):
    """Learns which input scale to trust at each pixel, and which class (figure 1), in plain torch.

    For each scale, feature maps of several stages are resized to the largest (stride 4 in the paper), concatenated, and
    convolved with the scale's own dilation. The results of all scales are concatenated. Two parallel branches of two
    convolutions (3x3, 1x1) then give the location attention (equation 2) and the recalibration. Equations 1, 3 and 4
    fuse the score maps with them. The weights have the names and shapes of those of ``mmrev.ScaleAttentionHead``.

    Attention-to-Scale (Chen et al., CVPR 2016), the base model of table 2, is the special case ``multi_stage=False,
    conv_per_scale=False, recalibration=None``.

    Args:
        in_channels: The channels of the feature maps. The penultimate layer is the last.
        num_classes: N, the number of score maps.
        in_index: The indices of the feature maps in the features of a scale. By default 0, 1, 2, ...
        dilations: The dilation of each scale's own convolution, in the order of the scales.
        multi_stage: Whether all feature maps are used, or only the last (table 2, "multi-stage").
        diverse_dilations: Whether ``dilations`` are used, or standard convolutions (table 2, "diverse dilation").
        location_attention: Whether the location attention is learned, or all scales weigh the same (table 2).
        recalibration: How the recalibrating branch (table 2, "extra branch") changes the scores: ``'multiply'``,
            ``'add'`` (a bias, the end of section 2.2), or None for no such branch.
        conv_per_scale: Whether each scale has its own convolution before the branches.
        scale_channels: The output channels of these convolutions.
        channels: The hidden channels of both branches.
        norm: Makes the norm after each convolution except the last of each branch, from its channels, such as
            ``nn.BatchNorm2d``. None by default, as in VGG.
        activation: Makes the activation after each of these convolutions.
        align_corners: How maps are resized.

    Shape:
        feature maps [B, C_i, h_i, w_i] and scores [B, N, H_s, W_s] of each scale -> fused scores [B, N, h, w].

    Raises:
        ConfigError: ``recalibration`` is unknown, there is nothing to learn, the lists have different lengths, or the
            feature maps have other channels.

    Reading: docs/scale_attention.md says how we read the paper. All convolutions start from small weights, as in
    DeepLab.

    Example:
        >>> attention = ScaleAttention([4, 8], num_classes=5, dilations=(2, 1), channels=6, scale_channels=3)
        >>> features = [[torch.zeros(1, 4, s, s), torch.zeros(1, 8, s // 2, s // 2)] for s in (16, 8)]
        >>> scores = [torch.zeros(1, 5, s, s) for s in (16, 8)]
        >>> attention(features, scores).shape
        torch.Size([1, 5, 16, 16])
    """

    def __init__(
        self,
        in_channels: Count | Counts,
        num_classes: int,
        *,
        in_index: int | Sequence[int] | None = None,
        dilations: Counts = (12, 2),
        multi_stage: bool = True,
        diverse_dilations: bool = True,
        location_attention: bool = True,
        recalibration: Recalibration | None = 'multiply',
        conv_per_scale: bool = True,
        scale_channels: Count = 256,
        channels: Count = 512,
        norm: Callable[[int], nn.Module] | None = None,
        activation: Callable[[], nn.Module] = partial(nn.ReLU, inplace=True),
        align_corners: bool = False,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        _check(name, num_classes, location_attention, recalibration)
        widths, self.in_index = _matched(name, in_channels, in_index)
        if not multi_stage:
            widths, self.in_index = widths[-1:], self.in_index[-1:]
        self.in_channels = widths
        self.num_scales, self.num_classes = len(dilations), num_classes
        self.recalibration, self.align_corners = recalibration, align_corners
        block = partial(_block, norm=norm, activation=activation, align=align_corners)
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
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Starts all convolutions from small weights: attention that starts far from uniform saturates."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                start_small(module)

    def forward(self, features: Sequence[Sequence[Tensor]], scores: Sequence[Tensor]) -> Tensor:
        if not len(features) == len(scores) == self.num_scales:
            raise ConfigError(
                f'{len(features)} scales of features and {len(scores)} of scores, but {type(self).__name__} has '
                f'{self.num_scales} dilations: give one of each for each scale'
            )
        kept = [self.scale_features(maps, index) for index, maps in enumerate(features)]
        return self.fuse(scores, self.attend(kept))

    def scale_features(self, inputs: Sequence[Tensor], index: int) -> tuple[Tensor, ...]:
        """Selects and convolves the feature maps of scale number ``index``, counted from 0.

        Returns:
            The result of the scale's own convolution, [B, scale_channels, h, w]. Without one, the selected maps.

        Raises:
            ConfigError: The feature maps are not those of ``in_channels`` and ``in_index``.
        """
        there = [feature.shape[1] for feature in inputs]
        selected = tuple(inputs[i] for i in self.in_index if -len(inputs) <= i < len(inputs))
        if [feature.shape[1] for feature in selected] != self.in_channels:
            raise ConfigError(
                f'{type(self).__name__} expects feature maps number {self.in_index} with {self.in_channels} '
                f'channels, the backbone gives maps of {there}: mend in_channels or in_index'
            )
        return selected if self.scale_convs is None else (self.scale_convs[index](selected),)

    def attend(self, scale_features: Sequence[Sequence[Tensor]]) -> AttentionMaps:
        """Returns the maps, from what :meth:`scale_features` returned for each scale, in the order of the scales."""
        seen = list(chain.from_iterable(scale_features))
        attention: Tensor | None = None
        recalibration: Tensor | None = None
        if self.location_conv is not None:
            attention = softmax_over_scales(self.location_scores(self.location_conv(seen)))
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


def _block(
    widths: Sequence[int],
    channels: int,
    dilation: int,
    norm: Callable[[int], nn.Module] | None,
    activation: Callable[[], nn.Module],
    align: bool,
) -> nn.Sequential:
    conv = HypercolumnConv(widths, channels, dilation, align, bias=norm is None)
    return nn.Sequential(conv, *([norm(channels)] if norm else []), activation())


def _check(name: str, num_classes: int, location_attention: bool, recalibration: str | None) -> None:
    if recalibration is None and not location_attention:
        raise ConfigError(f"{name} without location attention and recalibration: use fusion='avg'")
    if num_classes < 1:
        raise ConfigError(f'{name}: num_classes={num_classes}, expected that of the decode head')


def _matched(
    name: str, in_channels: int | Sequence[int], in_index: int | Sequence[int] | None
) -> tuple[list[int], list[int]]:
    """Returns both as lists of one length."""
    widths = _as_list(in_channels)
    indices = list(range(len(widths))) if in_index is None else _as_list(in_index)
    if not widths or len(indices) != len(widths):
        raise ConfigError(
            f'{name}: in_channels={in_channels} and in_index={in_index} must be as long as each other: '
            'give one entry for each feature map'
        )
    return widths, indices


def _as_list(values: int | Sequence[int]) -> list[int]:
    return list(values) if isinstance(values, Sequence) else [values]
