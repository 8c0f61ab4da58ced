"""RANet's region construction block (section 3.1 and equation 5) without P x P tables.

Shapes: B batch, N classes, H x W the feature map, P = H * W its pixels in raster order, T of them a tile.
"""

import warnings
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import torch
from torch import Tensor

from .equations import SIMILARITIES, Similarity, region_attention

# numbers in the largest table that a tile makes
TILE_BUDGET = 2**21


class Regions(NamedTuple):
    """The object regions of a batch of images."""

    labels: Tensor  # [B, P] int64: the root pixel of each pixel's region, its lowest index
    scores: Tensor  # J of equation 5, [B, P] in (0, 1], differentiable
    representatives: Tensor  # [B, P] bool: the K pixels of each region with the highest scores


@torch.compiler.disable
def region_construction(
    boundary: Tensor,
    probabilities: Tensor,
    threshold: float = 0.8,
    num_representatives: int = 8,
    similarity: Similarity = 'jsd',
) -> Regions:
    """Divides images into object regions and scores how well each pixel represents its own (equations 1 to 5).

    Exact, pair by pair with Triton on CUDA and with Numba on a CPU, else in tiles of some rows of the P x P tables; the
    backward pass computes them once more.

    Args:
        boundary: Boundary scores in [0, 1], [B, H, W].
        probabilities: Class probabilities, 1 in sum, [B, N, H, W].
        threshold: Two pixels belong together if the mean of F_ij and F_ji is above it.
        num_representatives: K. A smaller region has all its pixels as representatives; ties go to the lower index.
        similarity: ``'jsd'`` is equation 2, ``'binary_jsd'`` what the authors' code has in its place.

    Raises:
        ValueError: ``similarity`` is neither, the threshold is not in [0, 1], K is below 1, or the maps differ in size.

    Reading: the sign in equation 4 needs a threshold, 0.8 in the authors' code; J uses F without it. "Belong together"
    is not transitive: each pixel follows the first one in raster order that it belongs with, up to the root, as in the
    authors' code.
    """
    if similarity not in SIMILARITIES:
        raise ValueError(f'unknown similarity {similarity!r}: use one of {", ".join(map(repr, SIMILARITIES))}')
    if not 0 <= threshold <= 1:
        raise ValueError(f'threshold={threshold}: expected 0 to 1')
    if num_representatives < 1:
        raise ValueError(f'num_representatives={num_representatives}: expected 1 or more')
    if boundary.shape != (probabilities.shape[0], *probabilities.shape[2:]):
        raise ValueError(
            f'boundary scores {list(boundary.shape)} and probabilities {list(probabilities.shape)} differ '
            'in batch or size: expected [B, H, W] and [B, N, H, W]'
        )
    if boundary.is_meta:  # shapes without numbers
        return Regions(*(boundary.flatten(1).to(kind) for kind in (torch.long, boundary.dtype, torch.bool)))
    # one type for both; half precision has no logarithm of a small probability
    kind = torch.promote_types(torch.promote_types(boundary.dtype, probabilities.dtype), torch.float32)
    boundary, probabilities = boundary.to(kind), probabilities.to(kind)
    labels = roots(first_partners(boundary.detach(), probabilities.detach(), threshold, similarity))
    scores = _RegionScores.apply(boundary, probabilities, labels, similarity)
    return Regions(labels, scores, best_of_each(scores.detach(), labels, num_representatives))


def tiles(boundary: Tensor, tables: int = 1) -> Iterator[slice]:
    """Rows of the P x P tables, few enough at a time for so many of them."""
    pixels = boundary[0].numel()
    rows = max(1, TILE_BUDGET // (len(boundary) * pixels * tables))
    return (slice(start, min(start + rows, pixels)) for start in range(0, pixels, rows))


@cache
def compiled(device: torch.device) -> ModuleType | None:
    """The kernels for a kind of device, if there are any: Triton's on CUDA, Numba's on a CPU."""
    compiler = {'cuda': 'triton', 'cpu': 'numba'}.get(device.type)
    try:
        if compiler is None:
            raise ImportError(f'there are none for {device.type}')
        return import_module(f'.kernels_{compiler}', __package__)
    except ImportError as error:
        warnings.warn(
            f'region_construction goes without compiled kernels, some hundred times slower: {error}', stacklevel=2
        )
        return None


def first_partners(boundary: Tensor, probabilities: Tensor, threshold: float, similarity: Similarity) -> Tensor:
    """Equation 4: of each pixel the first in raster order that it belongs together with, at last itself; [B, P]."""
    if kernels := compiled(boundary.device):
        return kernels.first_partners(boundary, probabilities, threshold, similarity)
    pixels = torch.arange(boundary[0].numel(), device=boundary.device)
    found = []
    for tile in tiles(boundary):
        rows, columns = region_attention(boundary, probabilities, tile, similarity)
        together = ((rows + columns) / 2 > threshold) | (pixels[tile, None] == pixels)
        found.append(torch.where(together, pixels, len(pixels)).amin(2))
    return torch.cat(found, dim=1)


def roots(partners: Tensor) -> Tensor:
    """Where each pixel ends that follows its partner, its partner's partner and so on; partners are never later."""
    while not torch.equal(further := partners.gather(1, partners), partners):
        partners = further
    return partners


def best_of_each(scores: Tensor, labels: Tensor, count: int) -> Tensor:
    """The pixels with the ``count`` highest scores of each region, ties to the lower index; [B, P] bool.

    Scores tie that are equal up to rounding: to 9 decimals in double precision, to 6 in single.
    """
    rounded = scores.round(decimals=9 if scores.dtype == torch.float64 else 6)
    order = rounded.argsort(dim=1, descending=True, stable=True)
    order = order.gather(1, labels.gather(1, order).argsort(dim=1, stable=True))
    grouped = labels.gather(1, order)
    position = torch.arange(grouped.shape[1], device=labels.device).expand_as(grouped)
    starts = torch.ones_like(grouped, dtype=torch.bool)
    starts[:, 1:] = grouped[:, 1:] != grouped[:, :-1]
    rank = position - torch.where(starts, position, 0).cummax(dim=1).values
    return torch.zeros_like(starts).scatter(1, order, rank < count)


class _RegionScores(torch.autograd.Function):
    """Equation 5: the mean of F_ij over the region of i, itself included."""

    @staticmethod
    def forward(ctx, boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: Similarity) -> Tensor:
        ctx.save_for_backward(boundary, probabilities, labels)
        ctx.similarity = similarity
        if kernels := compiled(boundary.device):
            return kernels.sums_inside(boundary, probabilities, labels, similarity) / sizes(labels)
        return torch.cat(
            [_mean_inside(boundary, probabilities, labels, tile, similarity) for tile in tiles(boundary)], dim=1
        )

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        boundary, probabilities, labels = ctx.saved_tensors
        if kernels := compiled(boundary.device):
            share = grad / sizes(labels)
            return *kernels.sums_inside_backward(boundary, probabilities, labels, ctx.similarity, share), None, None
        inputs = boundary.detach().requires_grad_(), probabilities.detach().requires_grad_()
        totals = tuple(map(torch.zeros_like, inputs))
        for tile in tiles(boundary, probabilities.shape[1]):
            with torch.enable_grad():
                scores = _mean_inside(*inputs, labels, tile, ctx.similarity)
            for total, part in zip(totals, torch.autograd.grad(scores, inputs, grad[:, tile]), strict=True):
                total += part
        return *totals, None, None


def sizes(labels: Tensor) -> Tensor:
    """The number of pixels in each pixel's region, [B, P]."""
    counts = torch.zeros_like(labels).scatter_add(1, labels, torch.ones_like(labels))
    return counts.gather(1, labels)


def _mean_inside(
    boundary: Tensor, probabilities: Tensor, labels: Tensor, tile: slice, similarity: Similarity
) -> Tensor:
    rows, _ = region_attention(boundary, probabilities, tile, similarity)
    pixels = torch.arange(labels.shape[1], device=labels.device)
    inside = labels[:, tile, None] == labels[:, None]
    itself = pixels[tile, None] == pixels
    return torch.where(itself, 1, rows * inside).sum(2) / inside.sum(2)
