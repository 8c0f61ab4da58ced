"""The regions that ``kernels_numba_rows`` sums, by their bounding boxes, and the threads that kernels on a CPU run in.

Shapes: N classes, H x W an image or a box, S as in ``kernels_numba_rows``.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from .kernels_numba_math import LANES, Floats, Ints
from .kernels_numba_rows import Box, own_slopes, own_terms, row_sums, row_sums_backward
from .similarity import BINARY_BOUNDS, BINARY_JSD

# A region goes by rows if it fills this share of its box. Pairs outside the region cost a row as much as those inside.
# Measured with 19 classes: rows then beat runs from some 1,000 pixels on.
FILLED = 0.75
SMALLEST = 1000
# Each thread of the backward pass holds its own gradient of the probabilities.
MOST_THREADS = 16

Flags = NDArray[np.bool_]
T = TypeVar('T')


class Part(NamedTuple):
    """A region, and its bounding box in the image."""

    label: int
    rows: slice
    columns: slice


def split(labels: Ints) -> tuple[list[Part], Flags]:
    """The regions to go by rows, and the pixels [H, W] of all others.

    Example:
        >>> parts, others = split(np.zeros((40, 40), np.int64))
        >>> len(parts), others.any().item()
        (1, False)
    """
    parts, others = [], np.ones(labels.shape, bool)
    found, counts = np.unique(labels, return_counts=True)
    for label in found[counts >= SMALLEST].tolist():
        inside = labels == label
        part = Part(label, _extent(inside.any(1)), _extent(inside.any(0)))
        if inside[part.rows, part.columns].mean() >= FILLED:
            parts.append(part)
            others &= ~inside
    return parts, others


def _extent(taken: Flags) -> slice:
    places = taken.nonzero()[0]
    return slice(int(places[0]), int(places[-1]) + 1)


def box_of(part: Part, labels: Ints, boundary: Floats, classes: Floats, code: int, end_points: bool) -> Box:
    """The maps of a part of an image: labels [H, W], boundary [H, W] and classes [N, H, W]."""
    area = part.rows, part.columns
    own = classes[:, part.rows, part.columns].transpose(1, 0, 2)
    bounded = own.clip(*BINARY_BOUNDS) if code == BINARY_JSD else own
    inside = labels[area] == part.label
    return Box(
        _widened(boundary[area]),
        _widened(bounded),
        _widened(inside.astype(np.float64)),
        _spans(inside),
        _widened(own.argmax(1)),
        code,
        end_points,
    )


def _spans(inside: Flags) -> Ints:
    """The first and the last true column of each row [H, W]. A row without one has the last before the first."""
    width = inside.shape[1]
    first = np.where(inside.any(1), inside.argmax(1), width)
    last = np.where(inside.any(1), width - 1 - inside[:, ::-1].argmax(1), -width)
    return np.stack([first, last], axis=1)


def box_sums(box: Box) -> Floats:
    """The sums of F_ij without F_ii, and 0 for pixels that are not inside; [H, W]."""
    shares = in_threads(row_sums, box, own_terms(box.classes, box.code), directions(box))
    found: Floats = np.sum(shares, axis=0)[:, :-LANES]
    return found


def box_gradients(box: Box, grad: Floats) -> tuple[Floats, Floats]:
    """The gradients of ``sum(grad * box_sums)`` for the boundary scores [H, W] and the probabilities [N, H, W]."""
    tables = own_terms(box.classes, box.code), own_slopes(box.classes, box.code)
    shares = in_threads(row_sums_backward, box, *tables, _widened(grad), directions(box))
    for_boundary, for_classes = (sum(share) for share in zip(*shares, strict=True))
    return for_boundary[:, :-LANES], for_classes[..., :-LANES].transpose(1, 0, 2)


def directions(box: Box) -> Ints:
    """The shortest offsets (down, right) of all directions between two pixels of a box, each from one of its ends."""
    height, width = box.boundary.shape[0], box.boundary.shape[1] - LANES
    down, right = np.meshgrid(np.arange(height), np.arange(1 - width, width), indexing='ij')
    shortest = (np.gcd(down, right) == 1) & ((down > 0) | (right > 0))
    return np.stack([down[shortest], right[shortest]], axis=1)


def in_threads(kernel: Callable[..., T], *args: object) -> list[T]:
    """Runs a kernel in as many threads as torch has, and returns the result of each thread's share.

    Numba's own threads belong to OpenMP. They would change torch's number of threads.
    """
    count = min(torch.get_num_threads(), MOST_THREADS)
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda thread: kernel(*args, thread, count), range(count)))


def _widened(part: NDArray[Any]) -> NDArray[Any]:
    """Adds the pixels beside the box."""
    return np.ascontiguousarray(np.pad(part, [(0, 0)] * (part.ndim - 1) + [(0, LANES)]))
