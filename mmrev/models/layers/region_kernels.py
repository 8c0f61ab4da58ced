"""RANet's region construction on a CPU, pair by pair, compiled by Numba: what else is computed in tiles.

Shapes: N classes, P pixels of one image in raster order, in float64. Of each pair the pixel of the lower index comes
first. A pair of the threshold's pass is left at the first sign that it fails.
"""
from math import log

import numpy as np
from numba import njit, prange

LN2 = log(2)
TINY = 1e-300
# more than rounding can make of a bound that is compared with the threshold
MARGIN = 1e-6
NONE = 2.  # no boundary score is as high


@njit(cache=True)
def line_maximum(flat: np.ndarray, width: int, first: int, last: int, enough: float) -> tuple[float, int, int, float]:
    """Equation 1: the highest sample, the two pixels beside it and the share of the second; stops at ``enough``."""
    y, x = first // width, first % width
    down, right = last // width - y, last % width - x
    if down >= abs(right):
        length, slant, ahead, aside = down, right, width, 1
    else:
        length, slant, ahead, aside = abs(right), down, 1 if right > 0 else -1, width
    best, low_best, high_best, share_best = 0., first, first, 0.
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


@njit(cache=True)
def plogp(p: float) -> float:
    return p * np.log2(max(p, TINY))


@njit(cache=True)
def divergence(c: np.ndarray, entropies: np.ndarray, i: int, j: int, enough: float) -> float:
    """Equation 2; stops above ``enough``, which the rest can only add to."""
    total = (entropies[i] + entropies[j]) / 2
    for n in range(c.shape[1]):
        total -= plogp((c[i, n] + c[j, n]) / 2)
        if total > enough:
            break
    return min(max(total, 0.), 1.)


@njit(cache=True)
def negative_entropies(c: np.ndarray) -> np.ndarray:
    found = np.zeros(len(c))
    for i in range(len(c)):
        for n in range(c.shape[1]):
            found[i] += plogp(c[i, n])
    return found


@njit(cache=True, parallel=True)
def first_partners(flat: np.ndarray, width: int, c: np.ndarray, threshold: float, threads: int) -> np.ndarray:
    """Equation 4: of each pixel the first that it belongs together with, at last itself."""
    pixels = len(c)
    partners, entropies = np.arange(pixels), negative_entropies(c)
    room = 1 - threshold
    for thread in prange(threads):
        for i in range(thread, pixels, threads):
            likeliest = np.argmax(c[i])
            for j in range(i):
                # Pinsker's inequality for the likeliest class and the rest, whose divergence is no larger
                if (c[i, likeliest] - c[j, likeliest]) ** 2 / (2 * LN2) > room + MARGIN:
                    continue
                clear = 1 - line_maximum(flat, width, j, i, room + MARGIN)[0]
                if clear > threshold and clear * (1 - divergence(c, entropies, i, j, room + MARGIN)) > threshold:
                    partners[i] = j
                    break
    return partners


@njit(cache=True, parallel=True)
def sums_inside(flat: np.ndarray, width: int, c: np.ndarray, order: np.ndarray, ends: np.ndarray,
                threads: int) -> np.ndarray:
    """The sum of F_ij over the region of i, itself included.

    Args:
        order: Pixels sorted by region, then index.
        ends: Where in ``order`` the region of each of its entries ends.
    """
    pixels, entropies = len(c), negative_entropies(c)
    sums = np.zeros((threads, pixels))
    for thread in prange(threads):
        for a in range(thread, pixels, threads):
            i = order[a]
            for j in order[a + 1:ends[a]]:
                f = (1 - line_maximum(flat, width, i, j, NONE)[0]) * (1 - divergence(c, entropies, i, j, NONE))
                sums[thread, i] += f
                sums[thread, j] += f
    return sums.sum(0) + 1


@njit(cache=True, parallel=True)
def sums_inside_backward(flat: np.ndarray, width: int, c: np.ndarray, order: np.ndarray, ends: np.ndarray,
                         grad: np.ndarray, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of ``sums_inside`` for boundary [P] and probabilities [P, N]."""
    pixels, classes = c.shape
    entropies = negative_entropies(c)
    for_boundary, for_classes = np.zeros((threads, pixels)), np.zeros((threads, pixels, classes))
    for thread in prange(threads):
        for a in range(thread, pixels, threads):
            i = order[a]
            for j in order[a + 1:ends[a]]:
                up = grad[i] + grad[j]
                highest, low, high, share = line_maximum(flat, width, i, j, NONE)
                apart = divergence(c, entropies, i, j, NONE)
                if highest > 0:
                    for_boundary[thread, low] -= up * (1 - apart) * (1 - share)
                    for_boundary[thread, high] -= up * (1 - apart) * share
                if apart > 0:
                    weight = up * (1 - highest) / 2
                    for n in range(classes):
                        middle = slope((c[i, n] + c[j, n]) / 2)
                        for_classes[thread, i, n] -= weight * (slope(c[i, n]) - middle)
                        for_classes[thread, j, n] -= weight * (slope(c[j, n]) - middle)
    return for_boundary.sum(0), for_classes.sum(0)


@njit(cache=True)
def slope(p: float) -> float:
    """The derivative of ``plogp``."""
    return np.log2(max(p, TINY)) + (1 / LN2 if p >= TINY else 0.)
