"""Region construction over all pairs of pixels in plain torch, by tiles of rows of the P x P tables.

This backend runs on every device and knows every similarity. It is some hundred times slower than ``kernels_numba`` and
``kernels_triton``, which have the same three functions.

Shapes: B batch, N classes, H x W the feature map, P = H * W its pixels in raster order, T the pixels of a tile.
"""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from .equations import region_attention

# The largest table of a tile has at most this many numbers.
TILE_BUDGET = 2**21


def first_partners(
    boundary: Tensor, probabilities: Tensor, threshold: float, similarity: str, end_points: bool
) -> Tensor:
    """Equation 4: for each pixel the first pixel in raster order with G_ij = 1, or itself; [B, P]."""
    pixels = torch.arange(boundary[0].numel(), device=boundary.device)
    found = []
    for tile in _tiles(boundary):
        rows, columns = region_attention(boundary, probabilities, tile, similarity, end_points)
        together = ((rows + columns) / 2 > threshold) | (pixels[tile, None] == pixels)
        found.append(torch.where(together, pixels, len(pixels)).amin(2))
    return torch.cat(found, dim=1)


def sums_inside(boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: str, end_points: bool) -> Tensor:
    """The sum of F_ij over the region of i, with F_ii = 1; [B, P]."""
    sums = [_sums_of_rows(boundary, probabilities, labels, tile, similarity, end_points) for tile in _tiles(boundary)]
    return torch.cat(sums, dim=1)


def sums_inside_backward(
    boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: str, end_points: bool, grad: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradients of ``sums_inside`` for the boundary scores and the probabilities."""
    for_boundary, for_probabilities = torch.zeros_like(boundary), torch.zeros_like(probabilities)
    for tile in _tiles(boundary, tables=probabilities.shape[1]):
        # torch.autograd.grad cannot be called inside an operator, torch.func.vjp can
        sums = partial(_sums_of_rows, labels=labels, tile=tile, similarity=similarity, end_points=end_points)
        more = torch.func.vjp(sums, boundary, probabilities)[1](grad[:, tile])
        for_boundary += more[0]
        for_probabilities += more[1]
    return for_boundary, for_probabilities


def _sums_of_rows(
    boundary: Tensor, probabilities: Tensor, labels: Tensor, tile: slice, similarity: str, end_points: bool
) -> Tensor:
    rows, _ = region_attention(boundary, probabilities, tile, similarity, end_points)
    pixels = torch.arange(labels.shape[1], device=labels.device)
    inside = labels[:, tile, None] == labels[:, None]
    itself = pixels[tile, None] == pixels
    return torch.where(itself, 1, rows * inside).sum(2)


def _tiles(boundary: Tensor, tables: int = 1) -> Iterator[slice]:
    """Yields tiles of rows. ``tables`` tables of a tile together stay within the budget."""
    pixels = boundary[0].numel()
    rows = max(1, TILE_BUDGET // (len(boundary) * pixels * tables))
    for start in range(0, pixels, rows):
        yield slice(start, min(start + rows, pixels))
