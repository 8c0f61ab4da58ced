"""Equations 1 to 3 of "RANet: Region Attention Network for Semantic Segmentation" (Shen et al., NeurIPS 2020).

Shapes: B batch, N classes, H x W the feature map, P = H * W its pixels in raster order, T of them a tile.
"""

from typing import Literal

import torch
from torch import Tensor

Similarity = Literal['jsd', 'binary_jsd']
SIMILARITIES = ('jsd', 'binary_jsd')
# within which the authors' code keeps the probabilities of its two-class divergence
BINARY_BOUNDS = (0.001, 0.99)


def pairwise_boundary(boundary: Tensor) -> Tensor:
    """Equation 1: D, the highest boundary score on the straight line between two pixels.

    The line is sampled at every unit step of its longer axis strictly between the end points, by linear interpolation
    between the two nearest pixels of the other axis. D of neighbours and of a pixel with itself is 0. The gradient of
    a maximum that several samples share goes to the first of them, seen from the pixel of the lower index.

    Args:
        boundary: Boundary scores in [0, 1], [B, H, W].

    Returns:
        D, [B, P, P], symmetric, in [0, 1]. Holds P x P numbers: for small maps.
    """
    return line_maximum(boundary, slice(None))


def pairwise_similarity(probabilities: Tensor) -> Tensor:
    """Equation 2: E, the Jensen-Shannon divergence of the classes of two pixels, in bits.

    Args:
        probabilities: Class probabilities, 1 in sum, [B, N, H, W].

    Returns:
        E, [B, P, P], symmetric, 0 for equal pixels and 1 for pixels that share no class. Holds P x P numbers: for
        small maps.

    Reading: equation 2 as typeset is no divergence; the text names the Jensen-Shannon divergence, in [0, 1], so to
    base 2.
    """
    pixels = probabilities.flatten(2)
    return divergence(pixels, pixels)


def region_attention(
    boundary: Tensor, probabilities: Tensor, tile: slice, similarity: Similarity = 'jsd'
) -> tuple[Tensor, Tensor]:
    """Equation 3: rows of F and of its transpose, [B, T, P] each; the same tensor where F is symmetric."""
    pixels = probabilities.flatten(2)
    clear = 1 - line_maximum(boundary, tile)
    if similarity == 'jsd':
        rows = clear * (1 - divergence(pixels[..., tile], pixels))
        return rows, rows
    return (
        clear * (1 - binary_divergence(pixels[..., tile], pixels)),
        clear * (1 - binary_divergence(pixels, pixels[..., tile]).transpose(1, 2)),
    )


def line_maximum(boundary: Tensor, tile: slice) -> Tensor:
    """Rows of equation 1's D, [B, T, P]."""
    batch, height, width = boundary.shape
    flat = boundary.flatten(1)
    pixels = torch.arange(height * width, device=boundary.device)
    first = torch.minimum(pixels[tile, None], pixels)
    last = torch.maximum(pixels[tile, None], pixels)
    y, x = first // width, first % width
    down, right = last // width - y, last % width - x
    length = torch.maximum(down, right.abs())
    best = flat.new_zeros(batch, *length.shape)
    chosen = torch.zeros_like(best, dtype=torch.long)
    with torch.no_grad():
        for step in range(1, max(height, width) - 1):
            value = _sample(flat, width, y, x, down, right, length, torch.full_like(chosen, step))
            better = (step < length) & (value > best)
            best, chosen = torch.where(better, value, best), torch.where(better, step, chosen)
    # the maximum once more, for autograd: one sample a pair
    return _sample(flat, width, y, x, down, right, length, chosen) * (chosen > 0)


def _sample(
    flat: Tensor, width: int, y: Tensor, x: Tensor, down: Tensor, right: Tensor, length: Tensor, step: Tensor
) -> Tensor:
    """The boundary at a line's point number ``step``; anything where the line has no such point."""
    step = step.where(step < length, 0)
    steep = down >= right.abs()
    along = step * torch.where(steep, right, down)
    whole = along.div(length.clamp_min(1), rounding_mode='floor')
    rest = along - whole * length.clamp_min(1)
    ahead = torch.where(right < 0, -step, step)
    low = torch.where(steep, (y + step) * width + x + whole, (y + whole) * width + x + ahead)
    high = low + torch.where(rest > 0, torch.where(steep, 1, width), 0)
    near, far = (flat.gather(1, at.flatten(1)).view_as(at) for at in (low, high))
    # exact where both are equal, so that a constant map has ties and not noise
    return near + rest.to(flat) / length.clamp_min(1).to(flat) * (far - near)


def divergence(these: Tensor, those: Tensor) -> Tensor:
    """The Jensen-Shannon divergence in bits of each of [B, N, T] with each of [B, N, P]: [B, T, P]."""
    total = (_plogp(these).sum(1)[:, :, None] + _plogp(those).sum(1)[:, None]) / 2
    for p, q in zip(these.unbind(1), those.unbind(1), strict=True):
        total = total - _plogp((p[:, :, None] + q[:, None]) / 2)
    return total.clamp(0, 1)


def binary_divergence(these: Tensor, those: Tensor) -> Tensor:
    """The authors' code's, in nats: of two classes, the likeliest one of each of [B, N, T] and all others. Of each of
    those with each of [B, N, P]: [B, T, P], not symmetric."""
    likeliest = these.argmax(1, keepdim=True)
    p = these.gather(1, likeliest).transpose(1, 2)
    q = those.gather(1, likeliest.transpose(1, 2).expand(-1, -1, those.shape[2]))
    p, q = p.clamp(*BINARY_BOUNDS), q.clamp(*BINARY_BOUNDS)
    total = 0
    for a, b in ((p, q), (1 - p, 1 - q)):
        middle = (a + b) / 2
        total = total + (a * a.log() + b * b.log()) / 2 - middle * middle.log()
    return total.clamp_min(0)


def _plogp(p: Tensor) -> Tensor:
    # finite at 0, and so is its gradient
    return p * p.clamp_min(torch.finfo(p.dtype).tiny).log2()
