"""A convolution over hypercolumns (Hariharan et al., CVPR 2015) that never builds them.

Shapes: B batch, C channels of one feature map, O output channels, h x w a feature map, H x W the largest of them.
"""
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .largest import largest_size


class HypercolumnConv(nn.Conv2d):
    """A 3x3 convolution of feature maps that are resized to the largest and concatenated: [B, C_i, h_i, w_i] ->
    [B, O, H, W].

    The same numbers as ``resize, cat, conv`` up to rounding. Resizing treats channels alike, so each of the nine taps
    is a 1x1 convolution that can be taken *before* a small map is resized: a map of half the height and width costs a
    quarter of the operations, and autograd keeps the small maps alone. The weight is that of an ``nn.Conv2d`` over the
    concatenated channels.

    Args:
        in_channels: C of each map, in the order in which they are given.
        out_channels: O.
        dilation: Of the convolution, in pixels of the largest map; the padding is as large.
        align_corners: Of the bilinear resizing.
        bias: Whether there is one.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int, dilation: int = 1, align_corners: bool = False,
                 bias: bool = True) -> None:
        super().__init__(sum(in_channels), out_channels, 3, padding=dilation, dilation=dilation, bias=bias)
        self.widths = tuple(in_channels)
        self.align_corners = align_corners

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        size = largest_size(maps)
        groups: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
        for feature, weight in zip(maps, self.weight.split(self.widths, dim=1), strict=True):
            groups.setdefault(feature.shape[2:], []).append((feature, weight))
        return sum(self._convolve(torch.cat(features, dim=1), torch.cat(weights, dim=1), size)
                   for features, weights in (zip(*group, strict=True) for group in groups.values()))

    def _convolve(self, feature: Tensor, weight: Tensor, size: torch.Size) -> Tensor:
        dilation = self.dilation[0]
        if feature.shape[2:] == size:  # so are some, once: the bias belongs there
            return F.conv2d(feature, weight, self.bias, padding=dilation, dilation=dilation)
        return convolve_resized(feature, weight, size, dilation, self.align_corners)


def convolve_resized(feature: Tensor, weight: Tensor, size: tuple[int, int], dilation: int,
                     align_corners: bool) -> Tensor:
    """``conv2d(resize(feature, size), weight)`` with zero padding: [B, C, h, w], [O, C, 3, 3] -> [B, O, *size]."""
    taps = F.conv2d(feature, weight.permute(2, 3, 0, 1).reshape(9 * len(weight), -1, 1, 1))
    rows = [_resize_and_shift(row.chunk(3, dim=1), 3, size[1], dilation, align_corners)
            for row in taps.chunk(3, dim=1)]
    return _resize_and_shift(rows, 2, size[0], dilation, align_corners)


def _resize_and_shift(taps: Sequence[Tensor], axis: int, length: int, dilation: int, align_corners: bool) -> Tensor:
    """``y[i] = before[i - dilation] + here[i] + after[i + dilation]`` of three maps resized along one axis."""
    size = list(taps[0].shape[2:])
    size[axis - 2] = length
    before, result, after = (F.interpolate(tap, size, mode='bilinear', align_corners=align_corners) for tap in taps)
    if (inside := length - dilation) > 0:
        result.narrow(axis, dilation, inside).add_(before.narrow(axis, 0, inside))
        result.narrow(axis, 0, inside).add_(after.narrow(axis, dilation, inside))
    return result
