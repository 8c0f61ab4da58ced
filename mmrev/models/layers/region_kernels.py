"""RANet's region construction on a CPU, pair by pair, compiled by Numba: what ``region_construction`` computes in tiles.

Shapes: N classes, P pixels of one image in raster order, in float64. Of each pair the pixel of the lower index comes
first. A pair of the threshold's pass is left at the first sign that it fails.
"""
from math import log

import numba
import numpy as np
from numba import njit, prange

LN2 = log(2)
TINY = 1e-300
# more than rounding can make of a bound that is compared with the threshold
MARGIN = 1e-6
NONE = 2.  # no boundary score is as high


@njit(cache=True)
def interleaved(k: int, count: int) -> int:
    """A permutation that pairs low with high indices, whose triangles of pairs are of different size."""
    return k // 2 if k % 2 == 0 else count - 1 - k // 2


@njit(cache=True)
def line_maximum(flat: np.ndarray, width: int, first: int, last: int, enough: float) -> tuple[float, int]:
    """Equation 1 and the step of the maximum (0: none); stops at a value of ``enough``."""
    y, x = first // width, first % width
    down, right = last // width - y, last % width - x
    steep = down >= abs(right)
    length = down if steep else abs(right)
    best, chosen = 0., 0
    for step in range(1, length):
        low, high, share = beside(y, x, down, right, length, steep, width, step)
        value = flat[low] + share * (flat[high] - flat[low])
        if value > best:
            best, chosen = value, step
            if best >= enough:
                break
    return best, chosen


@njit(cache=True, inline='always')
def beside(y: int, x: int, down: int, right: int, length: int, steep: bool, width: int,
           step: int) -> tuple[int, int, float]:
    """The two pixels beside a line's point number ``step``, and the share of the second."""
    along = step * (right if steep else down)
    whole = along // length
    rest = along - whole * length
    if steep:
        low = (y + step) * width + x + whole
        high = low + (1 if rest > 0 else 0)
    else:
        low = (y + whole) * width + x + (step if right > 0 else -step)
        high = low + (width if rest > 0 else 0)
    return low, high, rest / length


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


@njit(cache=True, parallel=True)
def first_partners(flat: np.ndarray, width: int, c: np.ndarray, threshold: float) -> np.ndarray:
    """Equation 4: of each pixel the first that it belongs together with, at last itself."""
    pixels, classes = c.shape
    partners, entropies, likeliest = np.empty(pixels, np.int64), np.zeros(pixels), np.empty(pixels, np.int64)
    for i in prange(pixels):
        likeliest[i] = np.argmax(c[i])
        for n in range(classes):
            entropies[i] += plogp(c[i, n])
    room = 1 - threshold
    for k in prange(pixels):
        i = interleaved(k, pixels)
        partners[i] = i
        for j in range(i):
            # Pinsker's inequality for the likeliest class and the rest, whose divergence is no larger
            if (c[i, likeliest[i]] - c[j, likeliest[i]]) ** 2 / (2 * LN2) > room + MARGIN:
                continue
            clear = 1 - line_maximum(flat, width, j, i, room + MARGIN)[0]
            if clear > threshold and clear * (1 - divergence(c, entropies, i, j, room + MARGIN)) > threshold:
                partners[i] = j
                break
    return partners


@njit(cache=True, parallel=True)
def sums_inside(flat: np.ndarray, width: int, c: np.ndarray, order: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The sum of F_ij over the region of i, itself included.

    Args:
        order: Pixels sorted by region, then index.
        ends: Where in ``order`` the region of each of its entries ends.
    """
    pixels, classes = c.shape
    entropies = np.zeros(pixels)
    for i in prange(pixels):
        for n in range(classes):
            entropies[i] += plogp(c[i, n])
    sums = np.zeros((numba.get_num_threads(), pixels))
    for k in prange(pixels):
        a = interleaved(k, pixels)
        thread, i = numba.get_thread_id(), order[a]
        for b in range(a + 1, ends[a]):
            j = order[b]
            f = (1 - line_maximum(flat, width, i, j, NONE)[0]) * (1 - divergence(c, entropies, i, j, NONE))
            sums[thread, i] += f
            sums[thread, j] += f
    return sums.sum(0) + 1


@njit(cache=True, parallel=True)
def sums_inside_backward(flat: np.ndarray, width: int, c: np.ndarray, order: np.ndarray, ends: np.ndarray,
                         grad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of ``sums_inside`` for boundary [P] and probabilities [P, N]."""
    pixels, classes = c.shape
    threads = numba.get_num_threads()
    entropies = np.zeros(pixels)
    for i in prange(pixels):
        for n in range(classes):
            entropies[i] += plogp(c[i, n])
    for_boundary, for_classes = np.zeros((threads, pixels)), np.zeros((threads, pixels, classes))
    for k in prange(pixels):
        a = interleaved(k, pixels)
        thread, i = numba.get_thread_id(), order[a]
        for b in range(a + 1, ends[a]):
            j = order[b]
            up = grad[i] + grad[j]
            highest, step = line_maximum(flat, width, i, j, NONE)
            apart = divergence(c, entropies, i, j, NONE)
            if step > 0:
                y, x = i // width, i % width
                down, right = j // width - y, j % width - x
                steep = down >= abs(right)
                low, high, share = beside(y, x, down, right, down if steep else abs(right), steep, width, step)
                for_boundary[thread, low] -= up * (1 - apart) * (1 - share)
                for_boundary[thread, high] -= up * (1 - apart) * share
            if apart > 0:
                weight = up * (1 - highest) / 2
                for n in range(classes):
                    p, q = c[i, n], c[j, n]
                    middle = slope((p + q) / 2)
                    for_classes[thread, i, n] -= weight * (slope(p) - middle)
                    for_classes[thread, j, n] -= weight * (slope(q) - middle)
    return for_boundary.sum(0), for_classes.sum(0)


@njit(cache=True)
def slope(p: float) -> float:
    """The derivative of ``plogp``."""
    return np.log2(max(p, TINY)) + (1 / LN2 if p >= TINY else 0.)
