"""Region construction over all pairs of pixels on a CPU, compiled by Numba, in double precision.

The same three functions as in ``kernels_torch``. The sums over a region that fills its bounding box go by rows of pairs
(``kernels_numba_rows``). All else goes pair by pair (``kernels_numba_pairs``).

Shapes: B batch, N classes, H x W an image, P = H * W its pixels in raster order.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .kernels_numba_boxes import Flags, box_gradients, box_of, box_sums, in_threads, split
from .kernels_numba_pairs import Pixels, negative_entropies, pair_partners, pair_sums, pair_sums_backward
from .kernels_numba_rows import Floats, Ints
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
            total += _pair_sums(image, regions, others)
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
            _add_pair_gradients(totals, image, regions, others, gradients)
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


def _pixels(image: Image) -> Pixels:
    c = np.ascontiguousarray(image.classes.reshape(len(image.classes), -1).T)
    flat, width = np.ascontiguousarray(image.boundary).ravel(), image.boundary.shape[1]
    return Pixels(flat, width, c, negative_entropies(c), c.argmax(1), image.code, image.end_points)


def _pair_sums(image: Image, regions: Ints, chosen: Flags) -> Floats:
    shares = in_threads(pair_sums, _pixels(image), *_grouped(regions, chosen))
    found: Floats = np.sum(shares, axis=0).reshape(regions.shape)
    return found


def _add_pair_gradients(
    totals: tuple[Floats, Floats], image: Image, regions: Ints, chosen: Flags, grad: Floats
) -> None:
    up = np.ascontiguousarray(grad).ravel()
    for share in in_threads(pair_sums_backward, _pixels(image), *_grouped(regions, chosen), up):
        for total, part in zip(totals, share, strict=True):
            total += part.T.reshape(total.shape)


def _grouped(regions: Ints, chosen: Flags) -> tuple[Ints, Ints]:
    """The chosen pixels sorted by region and then by index, and for each place in this order the end of its region."""
    labels, order = regions.ravel(), chosen.ravel().nonzero()[0]
    order = order[labels[order].argsort(kind='stable')]
    return order, np.searchsorted(labels[order], labels[order], side='right')
