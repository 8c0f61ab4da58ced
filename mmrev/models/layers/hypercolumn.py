"""A convolution over hypercolumns (Hariharan et al., CVPR 2015) that does not build them.

Shapes: B batch, C channels of one feature map, O output channels, h x w a feature map, H x W the largest of them.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .resizing import largest_size

# From this ratio of channels in to channels out on, convolving before resizing was faster (forward and backward, on a
# CPU, at half the height and width): the products are fewer, but there are nine maps for each channel out.
WORTHWHILE = 2


class HypercolumnConv(nn.Conv2d):
    """A 3x3 convolution of feature maps that are resized to the largest and concatenated: [B, C_i, h_i, w_i] ->
    [B, O, H, W].

    The same numbers as ``resize, cat, conv`` up to rounding. Resizing treats channels alike, so each of the nine taps
    is a 1x1 convolution that can be taken *before* a small map is resized: a map of half the height and width costs a
    quarter of the operations, and autograd keeps the small map alone. That is done where many channels become few. The
    weight is that of an ``nn.Conv2d`` over the concatenated channels.

    Args:
        in_channels: C of each map, in the order in which they are given.
        out_channels: O.
        dilation: Of the convolution, in pixels of the largest map; the padding is as large.
        align_corners: Of the bilinear resizing.
        bias: Whether there is one.

    Raises:
        ValueError: The maps have more or less channels in all.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        out_channels: int,
        dilation: int = 1,
        align_corners: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__(sum(in_channels), out_channels, 3, padding=dilation, dilation=dilation, bias=bias)
        self.align_corners = align_corners

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        size, start, result = largest_size(maps), 0, None
        for alike in _neighbours_of_one_size(maps):
            feature = torch.cat(alike, dim=1)
            stop = start + feature.shape[1]
            part = self._convolve(feature, self.weight[:, start:stop], size)
            result = part if result is None else result.add_(part)  # in place: these are the largest maps of all
            start = stop
        if start != self.in_channels:
            raise ValueError(f'feature maps of {start} channels in all: expected {self.in_channels}')
        return result if self.bias is None else result.add_(self.bias.to(result).view(-1, 1, 1))

    def _convolve(self, feature: Tensor, weight: Tensor, size: torch.Size) -> Tensor:
        if feature.shape[2:] == size:
            return F.conv2d(feature, weight, padding=self.padding, dilation=self.dilation)
        if feature.shape[1] < WORTHWHILE * self.out_channels:
            feature = F.interpolate(feature, size, mode='bilinear', align_corners=self.align_corners)
            return F.conv2d(feature, weight, padding=self.padding, dilation=self.dilation)
        return convolve_resized(feature, weight, size, self.dilation[0], self.align_corners)


def _neighbours_of_one_size(maps: Sequence[Tensor]) -> list[list[Tensor]]:
    groups: list[list[Tensor]] = []
    for feature in maps:
        if groups and groups[-1][0].shape[2:] == feature.shape[2:]:
            groups[-1].append(feature)
        else:
            groups.append([feature])
    return groups


def convolve_resized(
    feature: Tensor, weight: Tensor, size: tuple[int, int], dilation: int, align_corners: bool
) -> Tensor:
    """``conv2d(resize(feature, size), weight)`` with zero padding: [B, C, h, w], [O, C, 3, 3] -> [B, O, *size]."""
    batch, _, height, width = feature.shape
    taps = F.conv2d(feature, weight.permute(2, 3, 0, 1).reshape(9 * len(weight), -1, 1, 1))
    columns = (
        taps.view(batch, 3, 3, -1, height, width).permute(0, 3, 1, 4, 2, 5).reshape(batch, -1, 3 * height, 3 * width)
    )
    across, down = (
        shifted_resizing(small, large, dilation, align_corners, taps)
        for small, large in zip((width, height), size[::-1], strict=True)
    )
    return down.T @ (columns @ across)


def shifted_resizing(length: int, target: int, dilation: int, align_corners: bool, like: Tensor) -> Tensor:
    """Matrix [3 * length, target] that resizes three signals and adds them up, the first ``dilation`` samples later,
    the last as many earlier, with zeros from outside."""
    one = torch.eye(length, dtype=like.dtype, device=like.device)[None]
    resized = F.interpolate(one, target, mode='linear', align_corners=align_corners)[0]
    return torch.cat([F.pad(resized, (dilation, 0))[:, :target], resized, F.pad(resized, (0, dilation))[:, dilation:]])
