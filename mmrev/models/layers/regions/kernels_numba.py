"""RANet's region construction on a CPU, pair by pair, compiled by Numba: what else is computed in tiles.

Shapes: B batch, N classes, P pixels of an image in raster order. In double precision. Of each pair the pixel of the
lower index comes first. A pair of the threshold's pass is left at the first sign that it fails.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import log

import numpy as np
import torch
from numba import njit
from torch import Tensor

from .equations import BINARY_BOUNDS, Similarity

LN2 = log(2)
LOWEST, HIGHEST = BINARY_BOUNDS
TINY = np.finfo(np.float64).tiny
# more than rounding can make of a bound that is compared with the threshold
MARGIN = 1e-6
NONE = 2.0  # no boundary score is as high
# scratch space is one gradient of the probabilities for each
MOST_THREADS = 16


def kernel(function: Callable) -> Callable:
    """Compiled, for use in threads; for good, where there is a folder to keep it in."""
    try:
        return njit(function, nogil=True, cache=True)
    except RuntimeError:
        return njit(function, nogil=True)


def first_partners(boundary: Tensor, probabilities: Tensor, threshold: float, similarity: Similarity) -> Tensor:
    """Equation 4: of each pixel the first that it belongs together with, at last itself; [B, P]."""
    return torch.stack(
        [
            sum(map(torch.from_numpy, _in_threads(_first_partners, *image, threshold)))
            for image in _prepared(boundary, probabilities, similarity)
        ]
    )


def sums_inside(boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: Similarity) -> Tensor:
    """The sum of F_ij over the region of i, itself included; [B, P]."""
    sums = [
        1 + sum(_in_threads(_sums_inside, *image, *_grouped(own)))
        for image, own in zip(_prepared(boundary, probabilities, similarity), labels, strict=True)
    ]
    return torch.from_numpy(np.stack(sums)).to(boundary)


def sums_inside_backward(
    boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: Similarity, grad: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients of ``sums_inside`` for boundary and probabilities."""
    images = zip(_prepared(boundary, probabilities, similarity), labels, grad.double().numpy(), strict=True)
    found = [
        map(sum, zip(*_in_threads(_sums_inside_backward, *image, *_grouped(own), up), strict=True))
        for image, own, up in images
    ]
    for_boundary, for_classes = (torch.from_numpy(np.stack(part)) for part in zip(*found, strict=True))
    return (
        for_boundary.view_as(boundary).to(boundary),
        for_classes.transpose(1, 2).reshape(probabilities.shape).to(probabilities),
    )


def _in_threads(kernel: Callable, *args) -> list:
    """What a kernel finds in each thread's share of rows, in as many threads as torch has.

    Numba's own threads would be OpenMP's, whose number in torch they change.
    """
    count = min(torch.get_num_threads(), MOST_THREADS)
    with ThreadPoolExecutor(count) as pool:
        return [*pool.map(lambda thread: kernel(*args, thread, count), range(count))]


def _prepared(boundary: Tensor, probabilities: Tensor, similarity: Similarity) -> Iterator[tuple]:
    """Of each image the first arguments of the kernels: boundary scores [P], width, probabilities [P, N], negative
    entropies and likeliest classes [P], and whether the divergence is that of two classes."""
    for scores, classes in zip(boundary.detach().double(), probabilities.detach().double(), strict=True):
        c = np.ascontiguousarray(classes.flatten(1).T.numpy())
        yield (
            scores.flatten().numpy(),
            scores.shape[1],
            c,
            negative_entropies(c),
            c.argmax(1),
            similarity == 'binary_jsd',
        )


def _grouped(labels: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Pixels sorted by region, then index; and where in that order the region of each ends."""
    order = labels.argsort(stable=True)
    grouped = labels[order]
    return order.numpy(), torch.searchsorted(grouped, grouped, right=True).numpy()


@kernel
def line_maximum(flat: np.ndarray, width: int, first: int, last: int, enough: float) -> tuple[float, int, int, float]:
    """Equation 1: the highest sample, the two pixels beside it and the share of the second; stops at ``enough``."""
    y, x = first // width, first % width
    down, right = last // width - y, last % width - x
    if down >= abs(right):
        length, slant, ahead, aside = down, right, width, 1
    else:
        length, slant, ahead, aside = abs(right), down, 1 if right > 0 else -1, width
    best, low_best, high_best, share_best = 0.0, first, first, 0.0
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
        value = flat[low] + share * (flat[high] - flat[low])
        if value > best:
            best, low_best, high_best, share_best = value, low, high, share
            if best >= enough:
                break
    return best, low_best, high_best, share_best


@kernel
def plogp(p: float) -> float:
    return p * np.log2(max(p, TINY))


@kernel
def divergence(c: np.ndarray, entropies: np.ndarray, i: int, j: int, enough: float) -> float:
    """Equation 2; stops above ``enough``, which the rest can only add to."""
    total = (entropies[i] + entropies[j]) / 2
    for n in range(c.shape[1]):
        total -= plogp((c[i, n] + c[j, n]) / 2)
        if total > enough:
            break
    return min(max(total, 0.0), 1.0)


@kernel
def binary_divergence(p: float, q: float) -> float:
    p, q = min(max(p, LOWEST), HIGHEST), min(max(q, LOWEST), HIGHEST)
    total = (p * log(p) + q * log(q) + (1 - p) * log(1 - p) + (1 - q) * log(1 - q)) / 2
    middle = (p + q) / 2
    return max(total - middle * log(middle) - (1 - middle) * log(1 - middle), 0.0)


@kernel
def similarity_of(
    c: np.ndarray, entropies: np.ndarray, likeliest: np.ndarray, i: int, j: int, enough: float, binary: bool
) -> tuple[float, float]:
    """E_ij and E_ji."""
    if binary:
        n, m = likeliest[i], likeliest[j]
        return binary_divergence(c[i, n], c[j, n]), binary_divergence(c[i, m], c[j, m])
    apart = divergence(c, entropies, i, j, enough)
    return apart, apart


@kernel
def negative_entropies(c: np.ndarray) -> np.ndarray:
    found = np.zeros(len(c))
    for i in range(len(c)):
        for n in range(c.shape[1]):
            found[i] += plogp(c[i, n])
    return found


@kernel
def _first_partners(
    flat: np.ndarray,
    width: int,
    c: np.ndarray,
    entropies: np.ndarray,
    likeliest: np.ndarray,
    binary: bool,
    threshold: float,
    thread: int,
    threads: int,
) -> np.ndarray:
    """Zero for rows of other threads."""
    partners, room = np.zeros(len(c), np.int64), 1 - threshold
    for i in range(thread, len(c), threads):
        partners[i], best = i, likeliest[i]
        for j in range(i):
            # Pinsker's inequality for the likeliest class and the rest, whose divergence is no larger
            if not binary and (c[i, best] - c[j, best]) ** 2 / (2 * LN2) > room + MARGIN:
                continue
            clear = 1 - line_maximum(flat, width, j, i, room + MARGIN)[0]
            if clear > threshold:
                one, other = similarity_of(c, entropies, likeliest, i, j, room + MARGIN, binary)
                if clear * (1 - (one + other) / 2) > threshold:
                    partners[i] = j
                    break
    return partners


@kernel
def _sums_inside(
    flat: np.ndarray,
    width: int,
    c: np.ndarray,
    entropies: np.ndarray,
    likeliest: np.ndarray,
    binary: bool,
    order: np.ndarray,
    ends: np.ndarray,
    thread: int,
    threads: int,
) -> np.ndarray:
    """Without F_ii."""
    sums = np.zeros(len(c))
    for a in range(thread, len(c), threads):
        i = order[a]
        for j in order[a + 1 : ends[a]]:
            clear = 1 - line_maximum(flat, width, i, j, NONE)[0]
            one, other = similarity_of(c, entropies, likeliest, i, j, NONE, binary)
            sums[i] += clear * (1 - one)
            sums[j] += clear * (1 - other)
    return sums


@kernel
def _sums_inside_backward(
    flat: np.ndarray,
    width: int,
    c: np.ndarray,
    entropies: np.ndarray,
    likeliest: np.ndarray,
    binary: bool,
    order: np.ndarray,
    ends: np.ndarray,
    grad: np.ndarray,
    thread: int,
    threads: int,
) -> tuple[np.ndarray, np.ndarray]:
    for_boundary, for_classes, slopes = np.zeros_like(flat), np.zeros_like(c), slopes_of(c)
    for a in range(thread, len(c), threads):
        i = order[a]
        for j in order[a + 1 : ends[a]]:
            highest, low, high, share = line_maximum(flat, width, i, j, NONE)
            if binary:
                one, other = similarity_of(c, entropies, likeliest, i, j, NONE, True)
                add_binary_slopes(for_classes, c, likeliest[i], i, j, grad[i] * (1 - highest))
                add_binary_slopes(for_classes, c, likeliest[j], i, j, grad[j] * (1 - highest))
            else:
                one = other = add_slopes(for_classes, c, slopes, entropies, i, j, (grad[i] + grad[j]) * (1 - highest))
            if highest > 0:
                up = grad[i] * (1 - one) + grad[j] * (1 - other)
                for_boundary[low] -= up * (1 - share)
                for_boundary[high] -= up * share
    return for_boundary, for_classes


@kernel
def add_slopes(
    total: np.ndarray, c: np.ndarray, slopes: np.ndarray, entropies: np.ndarray, i: int, j: int, up: float
) -> float:
    """Adds the gradient of ``-up * divergence``, and gives that: both need the same logarithm a class."""
    apart = (entropies[i] + entropies[j]) / 2
    for n in range(c.shape[1]):
        middle = (c[i, n] + c[j, n]) / 2
        slope = slope_of(middle)
        apart -= middle * slope
        total[i, n] -= up / 2 * (slopes[i, n] - slope)
        total[j, n] -= up / 2 * (slopes[j, n] - slope)
    return min(max(apart, 0.0), 1.0)


@kernel
def add_binary_slopes(total: np.ndarray, c: np.ndarray, n: int, i: int, j: int, up: float) -> None:
    """Adds the gradient of ``-up * binary_divergence``."""
    p, q = min(max(c[i, n], LOWEST), HIGHEST), min(max(c[j, n], LOWEST), HIGHEST)
    middle = logit((p + q) / 2)
    if p == c[i, n]:
        total[i, n] -= up / 2 * (logit(p) - middle)
    if q == c[j, n]:
        total[j, n] -= up / 2 * (logit(q) - middle)


@kernel
def logit(p: float) -> float:
    return log(p) - log(1 - p)


@kernel
def slopes_of(c: np.ndarray) -> np.ndarray:
    found = np.zeros_like(c)
    for i in range(c.shape[0]):
        for n in range(c.shape[1]):
            found[i, n] = slope_of(c[i, n])
    return found


@kernel
def slope_of(p: float) -> float:
    """The derivative of ``plogp`` less the 1 / log(2) that differences of slopes do not have."""
    return np.log2(p) if p >= TINY else np.log2(TINY) - 1 / LN2
