"""Region construction on a CPU pair by pair, compiled by Numba, in double precision.

A pair is dropped as soon as it is certain to miss the threshold. All these functions stay in one file: Numba's cache on
disk does not notice a change in another one.

Shapes: N classes, P the pixels of an image in raster order. The first pixel of a pair has the lower index.
"""

import sys
from math import log
from typing import NamedTuple

import numpy as np

from .kernels_numba_rows import Floats, Ints, kernel
from .similarity import BINARY_BOUNDS, BINARY_JSD, JSD

LN2 = log(2)
LOWEST, HIGHEST = BINARY_BOUNDS
TINY = sys.float_info.min
# Rounding moves a bound by less than this, so no pair is dropped by mistake.
MARGIN = 1e-6
NONE = 2.0  # a bound that no boundary score and no divergence reaches


class Pixels(NamedTuple):
    """The maps of one image. A kernel unpacks them once: the fields of a tuple are slower to read inside a loop."""

    boundary: Floats  # [P]
    width: int
    classes: Floats  # class probabilities, [P, N]
    entropies: Floats  # negative entropies in bits, [P]
    likeliest: Ints  # the likeliest class, [P]
    code: int
    end_points: bool


@kernel
def pair_partners(image: Pixels, threshold: float, thread: int, threads: int) -> Ints:
    """The partners of this thread's rows. Other rows are 0."""
    partners = np.zeros(len(image.classes), np.int64)
    walled = walls(image.boundary, image.width) > 1 - threshold + MARGIN
    far = (~walled).nonzero()[0]
    for i in range(thread, len(partners), threads):
        partners[i] = first_of(neighbours_before(i, image.width), i, image, threshold, i)
        if not walled[i]:
            partners[i] = first_of(far[: np.searchsorted(far, partners[i])], i, image, threshold, partners[i])
    return partners


@kernel
def walls(boundary: Floats, width: int) -> Floats:
    """The lowest score beside each pixel. All lines from it pass there, but for those to the pixels beside it."""
    found, height = np.full(len(boundary), NONE), len(boundary) // width
    for i in range(len(boundary)):
        y, x = i // width, i % width
        for v in range(max(y - 1, 0), min(y + 2, height)):
            for u in range(max(x - 1, 0), min(x + 2, width)):
                if v != y or u != x:
                    found[i] = min(found[i], boundary[v * width + u])
    return found


@kernel
def neighbours_before(i: int, width: int) -> Ints:
    """The pixels beside pixel i that come before it in raster order."""
    y, x = i // width, i % width
    found = np.empty(4, np.int64)
    count = 0
    if y > 0:
        for u in range(max(x - 1, 0), min(x + 2, width)):
            found[count] = (y - 1) * width + u
            count += 1
    if x > 0:
        found[count] = i - 1
        count += 1
    return found[:count]


@kernel
def first_of(candidates: Ints, i: int, image: Pixels, threshold: float, otherwise: int) -> int:
    """The first candidate that belongs together with pixel i."""
    boundary, width, c, entropies, likeliest, code, end_points = image
    room, best = 1 - threshold, likeliest[i]
    for j in candidates:
        # Pinsker's inequality for two classes, the likeliest and the rest. Merging classes lowers the divergence.
        if code == JSD and (c[i, best] - c[j, best]) ** 2 / (2 * LN2) > room + MARGIN:
            continue
        clear = 1 - line_maximum(boundary, width, end_points, j, i, room + MARGIN)[0]
        if clear > threshold:
            one, other = divergences(c, entropies, likeliest, code, i, j, room + MARGIN)
            if clear * (1 - (one + other) / 2) > threshold:
                return int(j)
    return otherwise


@kernel
def pair_sums(image: Pixels, order: Ints, ends: Ints, thread: int, threads: int) -> Floats:
    """This thread's share of the sums, without F_ii."""
    boundary, width, c, entropies, likeliest, code, end_points = image
    sums = np.zeros(len(c))
    for a in range(thread, len(order), threads):
        i = order[a]
        for j in order[a + 1 : ends[a]]:
            clear = 1 - line_maximum(boundary, width, end_points, i, j, NONE)[0]
            one, other = divergences(c, entropies, likeliest, code, i, j, NONE)
            sums[i] += clear * (1 - one)
            sums[j] += clear * (1 - other)
    return sums


@kernel
def pair_sums_backward(
    image: Pixels, order: Ints, ends: Ints, grad: Floats, thread: int, threads: int
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
