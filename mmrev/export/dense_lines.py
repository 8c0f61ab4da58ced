"""Equation 1 of RANet for all pairs of pixels at once, by rows of a table: an exported graph runs it fast.

The points of a line lie at the same offsets from its first pixel for all pixels. So the scores at one offset from all
pixels are one row, and a point of all lines with one direction is a weighted sum of two rows.

Shapes: B batch, H x W the feature map, P = H * W its pixels in raster order, O the offsets from a pixel to a later one.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def line_maxima(boundary: Tensor, end_points: bool = False) -> Tensor:
    """``pairwise_boundary``, bit by bit the same: [B, H, W] -> D [B, P, P].

    Example:
        >>> line_maxima(torch.tensor([0.0, 0.5, 0.25, 0.0]).view(1, 1, 4))[0, 0]
        tensor([0.0000, 0.0000, 0.5000, 0.5000])
    """
    _, height, width = boundary.shape
    rows = scores_at_offsets(boundary)
    start, stop = (0, max(height, width)) if end_points else (1, max(height, width) - 1)
    near, far, share = points(height, width, range(start, max(start, stop)), boundary.dtype)
    highest = torch.zeros_like(rows[:, :-1])
    for number in range(len(near)):
        first, second = rows[:, near[number]], rows[:, far[number]]
        highest = torch.maximum(highest, first + share[number][:, None] * (second - first))
    pixels = torch.arange(height * width)
    earlier, later = torch.minimum(pixels[:, None], pixels), torch.maximum(pixels[:, None], pixels)
    offset = (later // width - earlier // width) * (2 * width - 1) + later % width - earlier % width + width - 1
    return highest.flatten(1)[:, offset * (height * width) + earlier]


def scores_at_offsets(boundary: Tensor) -> Tensor:
    """The scores at each offset from all pixels, 0 outside the map, [B, O + 1, P]; the last row is 0."""
    _, height, width = boundary.shape
    padded = F.pad(boundary, (width - 1, width - 1, 0, height)).flatten(1)
    wide = 3 * width - 2
    offset = (torch.arange(height)[:, None] * wide + torch.arange(2 * width - 1)).flatten()
    offset = torch.cat([offset, torch.full((1,), height * wide)])
    pixel = (torch.arange(height)[:, None] * wide + torch.arange(width)).flatten()
    return padded[:, offset[:, None] + pixel]


def points(height: int, width: int, steps: range, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """The two rows and the share of the second one for each point of the lines, [points, O] each.

    A line without this point has the last row, which is 0.
    """
    wide = 2 * width - 1
    down, right = torch.arange(height).repeat_interleave(wide), torch.arange(1 - width, width).repeat(height)
    length, steep = torch.maximum(down, right.abs()), down >= right.abs()
    step = torch.arange(steps.start, steps.stop)[:, None]
    along = step * torch.where(steep, right, down)
    whole = along.div(length.clamp_min(1), rounding_mode='floor')
    rest = along - whole * length.clamp_min(1)
    ahead = torch.where(right < 0, -step, step)
    near = torch.where(steep, step * wide + whole, whole * wide + ahead) + width - 1
    far = near + torch.where(rest > 0, torch.where(steep, 1, wide), 0)
    absent, zeros = (step > length - steps.start) | (length == 0), height * wide
    share = rest.to(dtype) / length.clamp_min(1).to(dtype)
    return near.masked_fill(absent, zeros), far.masked_fill(absent, zeros), share
