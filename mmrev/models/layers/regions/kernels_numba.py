"""Region construction over all pairs of pixels on a CPU, compiled by Numba, in double precision.

The same three functions as in ``kernels_torch``. A pair is dropped as soon as it is certain to miss the threshold.
All compiled functions stay in this file: Numba's cache on disk does not notice a change in another one.

Shapes: B batch, N classes, P the pixels of an image in raster order. The first pixel of a pair has the lower index.
"""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import log
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from .similarity import BINARY_BOUNDS, BINARY_JSD, JSD, kernel_code

KNOWN_CODES = (JSD, BINARY_JSD)
LN2 = log(2)
LOWEST, HIGHEST = BINARY_BOUNDS
TINY = sys.float_info.min
# Rounding moves a bound by less than this, so no pair is dropped by mistake.
MARGIN = 1e-6
NONE = 2.0  # a bound that no boundary score and no divergence reaches
# Each thread of the backward pass holds its own gradient of the probabilities.
MOST_THREADS = 16

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
F = TypeVar('F', bound=Callable[..., Any])
T = TypeVar('T')


class Image(NamedTuple):
    """The maps of one image. A kernel unpacks them once: the fields of a tuple are slower to read inside a loop."""

    boundary: Floats  # [P]
    width: int
    classes: Floats  # class probabilities, [P, N]
    entropies: Floats  # negative entropies in bits, [P]
    likeliest: Ints  # the likeliest class, [P]
    code: int  # the code of the similarity, one of KNOWN_CODES
    end_points: bool  # whether the lines of equation 1 include their end points


def first_partners(
    boundary: Tensor, probabilities: Tensor, threshold: float, similarity: str, end_points: bool
) -> Tensor:
    """Equation 4: for each pixel the first pixel in raster order with G_ij = 1, or itself; [B, P]."""
    partners = []
    for image in _images(boundary, probabilities, similarity, end_points):
        shares = _in_threads(_first_partners, image, threshold)
        partners.append(torch.from_numpy(np.sum(shares, axis=0)))
    return torch.stack(partners)


def sums_inside(boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: str, end_points: bool) -> Tensor:
    """The sum of F_ij over the region of i, with F_ii = 1; [B, P]."""
    sums = []
    for image, own in zip(_images(boundary, probabilities, similarity, end_points), labels, strict=True):
        shares = _in_threads(_sums_inside, image, *_grouped(own))
        sums.append(torch.from_numpy(1 + np.sum(shares, axis=0)))
    return torch.stack(sums).to(boundary)


def sums_inside_backward(
    boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: str, end_points: bool, grad: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradients of ``sums_inside`` for the boundary scores and the probabilities."""
    for_boundary, for_classes = [], []
    images = _images(boundary, probabilities, similarity, end_points)
    for image, own, up in zip(images, labels, grad.double().numpy(), strict=True):
        shares = _in_threads(_sums_inside_backward, image, *_grouped(own), up)
        for_boundary.append(torch.from_numpy(sum(share[0] for share in shares)))
        for_classes.append(torch.from_numpy(sum(share[1] for share in shares)).T)
    return (
        torch.stack(for_boundary).view_as(boundary).to(boundary),
        torch.stack(for_classes).view_as(probabilities).to(probabilities),
    )


def _images(boundary: Tensor, probabilities: Tensor, similarity: str, end_points: bool) -> Iterator[Image]:
    code = kernel_code(similarity, KNOWN_CODES, 'Numba')
    for scores, classes in zip(boundary.detach().double(), probabilities.detach().double(), strict=True):
        c = np.ascontiguousarray(classes.flatten(1).T.numpy())
        yield Image(scores.flatten().numpy(), scores.shape[1], c, negative_entropies(c), c.argmax(1), code, end_points)


def _grouped(labels: Tensor) -> tuple[Ints, Ints]:
    """The pixels sorted by region and then by index, and for each place in this order the end of its region."""
    order = labels.argsort(stable=True)
    grouped = labels[order]
    return order.numpy(), torch.searchsorted(grouped, grouped, right=True).numpy()


def _in_threads(kernel: Callable[..., T], *args: object) -> list[T]:
    """Runs a kernel in as many threads as torch has, and returns the result of each thread's share of the rows.

    Numba's own threads belong to OpenMP. They would change torch's number of threads.
    """
    count = min(torch.get_num_threads(), MOST_THREADS)
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda thread: kernel(*args, thread, count), range(count)))


def kernel(function: F) -> F:
    """Compiles a function that runs in threads. Keeps the result on disk where a folder can be written."""
    try:
        return cast(F, njit(function, nogil=True, cache=True))
    except RuntimeError:
        return cast(F, njit(function, nogil=True))


@kernel
def _first_partners(image: Image, threshold: float, thread: int, threads: int) -> Ints:
    """The partners of this thread's rows. Other rows are 0."""
    boundary, width, c, entropies, likeliest, code, end_points = image
    room = 1 - threshold
    partners = np.zeros(len(c), np.int64)
    for i in range(thread, len(c), threads):
        partners[i], best = i, likeliest[i]
        for j in range(i):
            # Pinsker's inequality for two classes, the likeliest and the rest. Merging classes lowers the divergence.
            if code == JSD and (c[i, best] - c[j, best]) ** 2 / (2 * LN2) > room + MARGIN:
                continue
            clear = 1 - line_maximum(boundary, width, end_points, j, i, room + MARGIN)[0]
            if clear > threshold:
                one, other = divergences(c, entropies, likeliest, code, i, j, room + MARGIN)
                if clear * (1 - (one + other) / 2) > threshold:
                    partners[i] = j
                    break
    return partners


@kernel
def _sums_inside(image: Image, order: Ints, ends: Ints, thread: int, threads: int) -> Floats:
    """This thread's share of the sums, without F_ii."""
    boundary, width, c, entropies, likeliest, code, end_points = image
    sums = np.zeros(len(order))
    for a in range(thread, len(order), threads):
        i = order[a]
        for j in order[a + 1 : ends[a]]:
            clear = 1 - line_maximum(boundary, width, end_points, i, j, NONE)[0]
            one, other = divergences(c, entropies, likeliest, code, i, j, NONE)
            sums[i] += clear * (1 - one)
            sums[j] += clear * (1 - other)
    return sums


@kernel
def _sums_inside_backward(
    image: Image, order: Ints, ends: Ints, grad: Floats, thread: int, threads: int
) -> tuple[Floats, Floats]:
    """This thread's share of the gradients for the boundary scores and the class probabilities."""
    boundary, width, c, entropies, likeliest, code, end_points = image
    for_boundary, for_classes, slopes = np.zeros_like(boundary), np.zeros_like(c), slopes_of(c)
    for a in range(thread, len(order), threads):
        i = order[a]
        for j in order[a + 1 : ends[a]]:
            highest, low, high, share = line_maximum(boundary, width, end_points, i, j, NONE)
            up_i, up_j = grad[i] * (1 - highest), grad[j] * (1 - highest)
            if code == JSD:
                one = other = add_jsd_gradient(for_classes, c, slopes, entropies, i, j, up_i + up_j)
            elif code == BINARY_JSD:
                n, m = likeliest[i], likeliest[j]
                one, other = binary_jsd(c[i, n], c[j, n]), binary_jsd(c[i, m], c[j, m])
                add_binary_jsd_gradient(for_classes, c, n, i, j, up_i)
                add_binary_jsd_gradient(for_classes, c, m, i, j, up_j)
            else:
                raise ValueError('similarity without a Numba kernel')
            if highest > 0:
                up = grad[i] * (1 - one) + grad[j] * (1 - other)
                for_boundary[low] -= up * (1 - share)
                for_boundary[high] -= up * share
    return for_boundary, for_classes


@kernel
def line_maximum(
    boundary: Floats, width: int, end_points: bool, first: int, last: int, enough: float
) -> tuple[float, int, int, float]:
    """Equation 1: the highest sample, the two pixels beside it, and the share of the second. Stops at ``enough``."""
    highest, low_best, high_best, share_best = 0.0, first, first, 0.0
    if end_points:
        highest = max(highest, boundary[first])
        if max(highest, boundary[last]) >= enough:
            return enough, first, first, 0.0
    y, x = first // width, first % width
    down, right = last // width - y, last % width - x
    if down >= abs(right):
        length, slant, ahead, aside = down, right, width, 1
    else:
        length, slant, ahead, aside = abs(right), down, 1 if right > 0 else -1, width
    low, rest = first, 0
    for _ in range(1, length):
        low += ahead
        rest += slant
        if rest >= length:
            rest -= length
            low += aside
        elif rest < 0:
            rest += length
            low -= aside
        high = low + aside if rest > 0 else low
        share = rest / length
        value = boundary[low] + share * (boundary[high] - boundary[low])
        if value > highest:
            highest, low_best, high_best, share_best = value, low, high, share
            if highest >= enough:
                break
    if end_points and boundary[last] > highest:
        highest, low_best, high_best, share_best = boundary[last], last, last, 0.0
    return highest, low_best, high_best, share_best


@kernel
def divergences(
    c: Floats, entropies: Floats, likeliest: Ints, code: int, i: int, j: int, enough: float
) -> tuple[float, float]:
    """Equation 2, E_ij and E_ji, by the code of the similarity. May stop above ``enough``."""
    if code == JSD:
        apart = jsd(c, entropies, i, j, enough)
        return apart, apart
    if code == BINARY_JSD:
        n, m = likeliest[i], likeliest[j]
        return binary_jsd(c[i, n], c[j, n]), binary_jsd(c[i, m], c[j, m])
    raise ValueError('similarity without a Numba kernel')


@kernel
def jsd(c: Floats, entropies: Floats, i: int, j: int, enough: float) -> float:
    """The Jensen-Shannon divergence in bits. Stops above ``enough``: further classes can only add to it."""
    total: float = (entropies[i] + entropies[j]) / 2
    for n in range(c.shape[1]):
        total -= plogp((c[i, n] + c[j, n]) / 2)
        if total > enough:
            break
    return min(max(total, 0.0), 1.0)


@kernel
def add_jsd_gradient(total: Floats, c: Floats, slopes: Floats, entropies: Floats, i: int, j: int, up: float) -> float:
    """Adds the gradient of ``-up * jsd``. Returns the divergence, which needs the same logarithms."""
    apart: float = (entropies[i] + entropies[j]) / 2
    for n in range(c.shape[1]):
        middle = (c[i, n] + c[j, n]) / 2
        slope = slope_of(middle)
        apart -= middle * slope
        total[i, n] -= up / 2 * (slopes[i, n] - slope)
        total[j, n] -= up / 2 * (slopes[j, n] - slope)
    return min(max(apart, 0.0), 1.0)


@kernel
def binary_jsd(p: float, q: float) -> float:
    p, q = min(max(p, LOWEST), HIGHEST), min(max(q, LOWEST), HIGHEST)
    total = (p * log(p) + q * log(q) + (1 - p) * log(1 - p) + (1 - q) * log(1 - q)) / 2
    middle = (p + q) / 2
    return max(total - middle * log(middle) - (1 - middle) * log(1 - middle), 0.0)


@kernel
def add_binary_jsd_gradient(total: Floats, c: Floats, n: int, i: int, j: int, up: float) -> None:
    """Adds the gradient of ``-up * binary_jsd`` for class n against the rest."""
    p, q = min(max(c[i, n], LOWEST), HIGHEST), min(max(c[j, n], LOWEST), HIGHEST)
    middle = logit((p + q) / 2)
    if p == c[i, n]:
        total[i, n] -= up / 2 * (logit(p) - middle)
    if q == c[j, n]:
        total[j, n] -= up / 2 * (logit(q) - middle)


@kernel
def negative_entropies(c: Floats) -> Floats:
    found = np.zeros(len(c))
    for i in range(len(c)):
        for n in range(c.shape[1]):
            found[i] += plogp(c[i, n])
    return found


@kernel
def slopes_of(c: Floats) -> Floats:
    found = np.zeros_like(c)
    for i in range(c.shape[0]):
        for n in range(c.shape[1]):
            found[i, n] = slope_of(c[i, n])
    return found


@kernel
def plogp(p: float) -> float:
    return p * float(np.log2(max(p, TINY)))


@kernel
def slope_of(p: float) -> float:
    """The derivative of ``plogp`` minus 1 / log(2). This constant cancels in differences of slopes."""
    return float(np.log2(p)) if p >= TINY else float(np.log2(TINY)) - 1 / LN2


@kernel
def logit(p: float) -> float:
    return log(p) - log(1 - p)
