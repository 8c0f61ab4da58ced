"""Equations 1 and 3 of RANet (Shen et al., NeurIPS 2020): dense tables, or a tile of their rows.

Shapes: B batch, N classes, H x W the feature map, P = H * W its pixels in raster order, T the pixels of a tile.
"""

import torch
from torch import Tensor

from .similarity import SIMILARITIES

NO_SAMPLE = -1  # the number of the highest sample where the line has none above 0


def pairwise_boundary(boundary: Tensor, end_points: bool = False) -> Tensor:
    """Equation 1: D, the highest boundary score on the straight line between two pixels.

    The table has P x P numbers. Use it for small maps.

    Args:
        boundary: Boundary scores in [0, 1].
        end_points: Whether the two pixels belong to the line. False: the line lies strictly between them.

    Shape:
        boundary [B, H, W] -> D [B, P, P].

    Returns:
        D, symmetric, in [0, 1]. It is 0 for a pixel and itself. Without end points, it is 0 for neighbours too.

    Reading: The line is sampled at every unit step of its longer axis. A sample interpolates linearly between the two
    nearest pixels of the other axis. The paper's "pixels on the line, whose end points are" i and j may include them.
    The authors' code leaves them out. When several samples share the maximum, the gradient goes to the first of them,
    seen from the pixel with the lower index.

    Example:
        >>> row = torch.tensor([0.0, 0.5, 0.25, 0.0]).view(1, 1, 4)
        >>> pairwise_boundary(row)[0, 0]  # from the first pixel to all four
        tensor([0.0000, 0.0000, 0.5000, 0.5000])
        >>> pairwise_boundary(row, end_points=True)[0, 0]
        tensor([0.0000, 0.5000, 0.5000, 0.5000])
    """
    return line_maximum(boundary, slice(None), end_points)


def region_attention(
    boundary: Tensor, probabilities: Tensor, tile: slice, similarity: str = 'jsd', end_points: bool = False
) -> tuple[Tensor, Tensor]:
    """Equation 3: a tile of rows of F, and the same rows of its transpose, [B, T, P] each.

    Both are the same tensor when the similarity is symmetric.
    """
    measure = SIMILARITIES[similarity]
    pixels = probabilities.flatten(2)
    clear = 1 - line_maximum(boundary, tile, end_points)
    rows = clear * (1 - measure.divergence(pixels[..., tile], pixels))
    if measure.symmetric:
        return rows, rows
    return rows, clear * (1 - measure.divergence(pixels, pixels[..., tile]).transpose(1, 2))


def line_maximum(boundary: Tensor, tile: slice, end_points: bool = False) -> Tensor:
    """Equation 1: a tile of rows of D, [B, T, P]."""
    batch, height, width = boundary.shape
    flat = boundary.flatten(1)
    pixels = torch.arange(height * width, device=boundary.device)
    first = torch.minimum(pixels[tile, None], pixels)
    last = torch.maximum(pixels[tile, None], pixels)
    y, x = first // width, first % width
    down, right = last // width - y, last % width - x
    length = torch.maximum(down, right.abs())
    # The samples are numbered from 0 at the first pixel to the length at the last one.
    start = 0 if end_points else 1
    stop = torch.where(length > 0, length - start, NO_SAMPLE)
    highest = flat.new_zeros(batch, *length.shape)
    chosen = torch.full_like(highest, NO_SAMPLE, dtype=torch.long)
    with torch.no_grad():
        for step in range(start, max(height, width) - start):
            value = _sample(flat, width, y, x, down, right, length, torch.full_like(chosen, step))
            better = (step <= stop) & (value > highest)
            highest, chosen = torch.where(better, value, highest), torch.where(better, step, chosen)
    # Autograd sees the chosen sample alone: it keeps one sample for each pair, not one for each step.
    return _sample(flat, width, y, x, down, right, length, chosen) * (chosen != NO_SAMPLE)


def _sample(
    flat: Tensor, width: int, y: Tensor, x: Tensor, down: Tensor, right: Tensor, length: Tensor, step: Tensor
) -> Tensor:
    """The boundary score at point number ``step`` of each line. A line without this point gets any value."""
    step = step.clamp_min(0).where(step <= length, 0)
    steep = down >= right.abs()
    along = step * torch.where(steep, right, down)
    whole = along.div(length.clamp_min(1), rounding_mode='floor')
    rest = along - whole * length.clamp_min(1)
    ahead = torch.where(right < 0, -step, step)
    low = torch.where(steep, (y + step) * width + x + whole, (y + whole) * width + x + ahead)
    high = low + torch.where(rest > 0, torch.where(steep, 1, width), 0)
    near = flat.gather(1, low.flatten(1)).view_as(low)
    far = flat.gather(1, high.flatten(1)).view_as(high)
    # This form is exact when both are equal. On a constant map all samples tie, without rounding noise.
    return near + rest.to(flat) / length.clamp_min(1).to(flat) * (far - near)
