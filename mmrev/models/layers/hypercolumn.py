"""A convolution over hypercolumns (Hariharan et al., CVPR 2015) that does not build them.

Shapes: B batch, C channels of one feature map, O output channels, h x w a feature map, H x W the largest of them.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmrev.arguments import Count, Counts, checked

from .resizing import largest_size

# Convolving first takes fewer products, but makes nine maps for each output channel. It was faster when the input has
# at least this many times the channels of the output (forward and backward, on a CPU, at half the height and width).
WORTHWHILE = 2


@checked
class HypercolumnConv(nn.Conv2d):
    """A 3x3 convolution of feature maps that are resized to the largest and concatenated.

    The numbers are those of ``resize, cat, conv`` up to rounding. Resizing treats all channels alike. Each of the nine
    taps is therefore a 1x1 convolution that can be taken *before* a small map is resized. A map of half the height and
    width then costs a quarter of the operations, and autograd keeps only the small map. This way is taken where many
    channels become few. The weight is that of an ``nn.Conv2d`` over the concatenated channels.

    Args:
        in_channels: C of each map, in the order in which the maps are given.
        out_channels: O.
        dilation: The dilation of the convolution, in pixels of the largest map. The padding is as large.
        align_corners: How maps are resized, bilinearly.
        bias: Whether the convolution has a bias.

    Shape:
        feature maps [B, C_i, h_i, w_i] -> [B, O, H, W].

    Raises:
        ValueError: The number of channels of all maps is not that of ``in_channels``.

    Example:
        >>> conv = HypercolumnConv([4, 8], 3, dilation=2)
        >>> conv([torch.zeros(1, 4, 16, 16), torch.zeros(1, 8, 8, 8)]).shape
        torch.Size([1, 3, 16, 16])
    """

    def __init__(
        self,
        in_channels: Counts,
        out_channels: Count,
        dilation: Count = 1,
        align_corners: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__(sum(in_channels), out_channels, 3, padding=dilation, dilation=dilation, bias=bias)
        self.align_corners = align_corners

    def forward(self, maps: Sequence[Tensor]) -> Tensor:  # type: ignore[override]  # a Conv2d by its weights alone
        size, start = largest_size(maps), 0
        result: Tensor | None = None
        for alike in _neighbours_of_one_size(maps):
            feature = torch.cat(alike, dim=1)
            stop = start + feature.shape[1]
            part = self._convolve(feature, self.weight[:, start:stop], size)
            result = part if result is None else result.add_(part)  # in place: these maps are the largest
            start = stop
        if result is None or start != self.in_channels:
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
    feature: Tensor, weight: Tensor, size: Sequence[int], dilation: int, align_corners: bool
) -> Tensor:
    """Computes ``conv2d(resize(feature, size), weight)`` with zero padding, without the resized map.

    Shape:
        feature [B, C, h, w], weight [O, C, 3, 3] -> [B, O, H, W], with ``size`` = (H, W).

    Example:
        >>> convolve_resized(torch.zeros(1, 8, 4, 4), torch.zeros(3, 8, 3, 3), (8, 8), 1, False).shape
        torch.Size([1, 3, 8, 8])
    """
    batch, _, height, width = feature.shape
    taps = F.conv2d(feature, weight.permute(2, 3, 0, 1).reshape(9 * len(weight), -1, 1, 1))
    columns = taps.view(batch, 3, 3, -1, height, width).permute(0, 3, 1, 4, 2, 5)
    columns = columns.reshape(batch, -1, 3 * height, 3 * width)
    down = shifted_resizing(height, size[0], dilation, align_corners, taps)
    across = shifted_resizing(width, size[1], dilation, align_corners, taps)
    return down.T @ (columns @ across)


def shifted_resizing(length: int, target: int, dilation: int, align_corners: bool, like: Tensor) -> Tensor:
    """Builds the matrix that resizes three signals, shifts two of them and adds all up.

    The first signal is shifted ``dilation`` samples forward, the last one as many back. Zeros come in from outside.

    Args:
        length: The length of each signal.
        target: The length after resizing.
        dilation: The shift.
        align_corners: How signals are resized, linearly.
        like: A tensor of the dtype and on the device of the result.

    Returns:
        [3 * length, target].

    Example:
        >>> shifted_resizing(2, 2, dilation=1, align_corners=False, like=torch.zeros(1)).T
        tensor([[0., 0., 1., 0., 0., 1.],
                [1., 0., 0., 1., 0., 0.]])
    """
    one = torch.eye(length, device=like.device).to(like.dtype)[None]  # torch 2.1 makes no eye in bfloat16
    resized = F.interpolate(one, target, mode='linear', align_corners=align_corners)[0]
    return torch.cat([F.pad(resized, (dilation, 0))[:, :target], resized, F.pad(resized, (0, dilation))[:, dilation:]])
