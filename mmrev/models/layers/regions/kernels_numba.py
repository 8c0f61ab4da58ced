"""Region construction over all pairs of pixels on a CPU, compiled by Numba, in double precision.

The same three functions as in ``kernels_torch``. The sums over a compact region go by rows of pairs
(``kernels_numba_rows``), those over another one by runs of pairs (``kernels_numba_runs``). The search for partners goes
pair by pair, through lists of candidates (``kernels_numba_partners``).

Shapes: B batch, N classes, H x W an image, P = H * W its pixels in raster order.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .kernels_numba_boxes import Flags, box_gradients, box_of, box_sums, in_threads, split
from .kernels_numba_math import LANES, Floats, Ints
from .kernels_numba_partners import Pixels, negative_entropies, pair_partners
from .kernels_numba_rows import own_slopes, own_terms
from .kernels_numba_runs import Sorted, run_sums, run_sums_backward
from .similarity import BINARY_BOUNDS, BINARY_JSD, JSD, kernel_code

KNOWN_CODES = (JSD, BINARY_JSD)
LOWEST, HIGHEST = BINARY_BOUNDS


class Image(NamedTuple):
    """One image."""

    boundary: Floats  # [H, W]
    classes: Floats  # class probabilities, [N, H, W]
    code: int  # the code of the similarity, one of KNOWN_CODES
    end_points: bool  # whether the lines of equation 1 include their end points


def first_partners(
    boundary: Tensor, probabilities: Tensor, threshold: float, similarity: str, end_points: bool
) -> Tensor:
    """Equation 4: for each pixel the first pixel in raster order with G_ij = 1, or itself; [B, P]."""
    partners = []
    for image in _images(boundary, probabilities, similarity, end_points):
        shares = in_threads(pair_partners, _pixels(image), threshold)
        partners.append(torch.from_numpy(np.sum(shares, axis=0)))
    return torch.stack(partners)


def sums_inside(boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: str, end_points: bool) -> Tensor:
    """The sum of F_ij over the region of i, with F_ii = 1; [B, P]."""
    sums = []
    for image, own in zip(_images(boundary, probabilities, similarity, end_points), labels, strict=True):
        regions = own.view(image.boundary.shape).numpy()
        parts, others = split(regions)
        total = np.ones(regions.shape)
        if others.any():
            total += _run_sums(image, regions, others)
        for part in parts:
            total[part.rows, part.columns] += box_sums(box_of(part, regions, *image))
        sums.append(torch.from_numpy(total.ravel()))
    return torch.stack(sums).to(boundary)


def sums_inside_backward(
    boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: str, end_points: bool, grad: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradients of ``sums_inside`` for the boundary scores and the probabilities."""
    for_boundary, for_classes = [], []
    images = _images(boundary, probabilities, similarity, end_points)
    for image, own, up in zip(images, labels, grad.double(), strict=True):
        regions, gradients = (part.view(image.boundary.shape).numpy() for part in (own, up))
        parts, others = split(regions)
        totals = np.zeros(image.boundary.shape), np.zeros(image.classes.shape)
        if others.any():
            _add_run_gradients(totals, image, regions, others, gradients)
        for part in parts:
            found = box_gradients(box_of(part, regions, *image), gradients[part.rows, part.columns])
            for total, more in zip(totals, found, strict=True):
                total[..., part.rows, part.columns] += more
        if image.code == BINARY_JSD:  # beyond the bounds it is constant
            totals[1][(image.classes < LOWEST) | (image.classes > HIGHEST)] = 0
        for_boundary.append(torch.from_numpy(totals[0]))
        for_classes.append(torch.from_numpy(totals[1]))
    return torch.stack(for_boundary).to(boundary), torch.stack(for_classes).to(probabilities)


def _images(boundary: Tensor, probabilities: Tensor, similarity: str, end_points: bool) -> Iterator[Image]:
    code = kernel_code(similarity, KNOWN_CODES, 'Numba')
    for scores, classes in zip(boundary.detach().double(), probabilities.detach().double(), strict=True):
        yield Image(scores.numpy(), classes.numpy(), code, end_points)


def _bounded(image: Image) -> Floats:
    """The class probabilities that the divergence compares, [N, P]."""
    flat = image.classes.reshape(len(image.classes), -1)
    return flat.clip(LOWEST, HIGHEST) if image.code == BINARY_JSD else flat


def _longer(boundary: Floats) -> Floats:
    """The scores [H, W] in raster order, and one more row."""
    return np.append(boundary, np.zeros(boundary.shape[1]))


def _pixels(image: Image) -> Pixels:
    by_class = np.ascontiguousarray(_bounded(image))
    c, likeliest = np.ascontiguousarray(by_class.T), image.classes.argmax(0).ravel()
    width = image.boundary.shape[1]
    entropies = negative_entropies(c)
    return Pixels(_longer(image.boundary), width, c, by_class, entropies, likeliest, image.code, image.end_points)


def _run_sums(image: Image, regions: Ints, chosen: Flags) -> Floats:
    pixels = _sorted(image, regions, chosen)
    shares = in_threads(run_sums, pixels, _own_terms(pixels))
    found = np.zeros(regions.shape)
    found.ravel()[pixels.order] = np.sum(shares, axis=0)[:-LANES]
    return found


def _add_run_gradients(totals: tuple[Floats, Floats], image: Image, regions: Ints, chosen: Flags, grad: Floats) -> None:
    pixels = _sorted(image, regions, chosen)
    up = np.append(grad.ravel()[pixels.order], np.zeros(LANES))
    slopes = own_slopes(pixels.classes[None], pixels.code)[0]
    shares = in_threads(run_sums_backward, pixels, _own_terms(pixels), slopes, up)
    for_boundary, for_classes = (sum(share) for share in zip(*shares, strict=True))
    totals[0].ravel()[:] += for_boundary[: regions.size]
    totals[1].reshape(len(for_classes), -1)[:, pixels.order] += for_classes[:, :-LANES]


def _own_terms(pixels: Sorted) -> Floats:
    found: Floats = own_terms(pixels.classes[None], pixels.code)[0]
    return found


def _sorted(image: Image, regions: Ints, chosen: Flags) -> Sorted:
    """The chosen pixels sorted by region and then by index."""
    labels, order = regions.ravel(), chosen.ravel().nonzero()[0]
    order = order[labels[order].argsort(kind='stable')]
    ends = np.searchsorted(labels[order], labels[order], side='right')
    classes = np.zeros((len(image.classes), len(order) + LANES))
    classes[:, :-LANES] = _bounded(image)[:, order]
    likeliest = np.append(image.classes.argmax(0).ravel()[order], np.zeros(LANES, np.int64))
    width = image.boundary.shape[1]
    return Sorted(_longer(image.boundary), width, order, ends, classes, likeliest, image.code, image.end_points)
