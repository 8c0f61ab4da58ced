"""Sums over all pairs of pixels of one region on a CPU, by runs of pairs, compiled by Numba, in double precision.

The pixels are sorted by region and then by index. A run has the pairs of one pixel with all later ones of its region.
These lie side by side in the sorted maps, so the compiler computes several divergences at once. Each line is walked
alone.

These functions stay in one file: Numba's cache on disk does not notice a change in another one.

Shapes: N classes, H x W the image, P = H * W its pixels in raster order, M sorted pixels, S = M + ``LANES``, K pairs in
a run. A run is rounded up to a multiple of ``LANES``. Its pairs that are too many have the weight 0.
"""

from typing import NamedTuple

import numpy as np

from .kernels_numba_math import (
    LANES,
    LOWEST_SLOPE,
    TINY,
    Floats,
    Ints,
    axes,
    kernel,
    log2,
    logit,
    reordering,
    two_classes,
)
from .similarity import BINARY_JSD, JSD

NONE = -1


class Sorted(NamedTuple):
    """The maps of one image, and its pixels sorted by region and then by index."""

    boundary: Floats  # and one more row, which is read and does not count; [P + W]
    width: int
    order: Ints  # the index of each sorted pixel, [M]
    ends: Ints  # the end of its region in this order, [M]
    classes: Floats  # class probabilities, [N, S]. For BINARY_JSD, they are within BINARY_BOUNDS
    likeliest: Ints  # the likeliest class, [S]
    code: int  # the code of the similarity
    end_points: bool  # whether the lines of equation 1 include their end points


@kernel
def run_sums(image: Sorted, own: Floats, thread: int, threads: int) -> Floats:
    """This thread's share of the sums of F_ij, without F_ii; [S]."""
    boundary, width, order, ends, c, likeliest, code, end_points = image
    stride = c.shape[1]
    sums, clear, one, other = np.zeros(stride), np.zeros(stride), np.zeros(stride), np.zeros(stride)
    y, x = order // width, order % width
    for a in range(thread, len(order), threads):
        start, pairs = a + 1, ends[a] - a - 1
        count = (pairs + LANES - 1) // LANES * LANES
        for k in range(pairs):
            down, right = y[start + k] - y[a], x[start + k] - x[a]
            clear[k] = 1 - highest_sample(boundary, width, end_points, order[a], down, right)[0]
        clear[pairs:count] = 0
        if code == JSD:
            jsd_run(c, own, a, one[:count])
            sums[a] += weighted(clear, one[:count])
            add_run(sums[start:], clear, one[:count])
        elif code == BINARY_JSD:
            binary_run(c, own, a, likeliest[a], one[:count])
            binary_run_of_others(c, own, a, likeliest, other[:count])
            sums[a] += weighted(clear, one[:count])
            add_run(sums[start:], clear, other[:count])
        else:
            raise ValueError('similarity without a Numba kernel')
    return sums


@kernel
def run_sums_backward(
    image: Sorted, own: Floats, slopes: Floats, grad: Floats, thread: int, threads: int
) -> tuple[Floats, Floats]:
    """This thread's share of the gradients for the boundary scores [P + W] and the class probabilities [N, S]."""
    boundary, width, order, ends, c, likeliest, code, end_points = image
    for_boundary, for_classes, stride = np.zeros_like(boundary), np.zeros_like(c), c.shape[1]
    clear, one, other, middles = np.zeros(stride), np.zeros(stride), np.zeros(stride), np.zeros(stride)
    up, up_other, steps = np.zeros(stride), np.zeros(stride), np.zeros(stride, np.int64)
    y, x = order // width, order % width
    for a in range(thread, len(order), threads):
        start, pairs = a + 1, ends[a] - a - 1
        count = (pairs + LANES - 1) // LANES * LANES
        for k in range(pairs):
            down, right = y[start + k] - y[a], x[start + k] - x[a]
            highest, steps[k] = highest_sample(boundary, width, end_points, order[a], down, right)
            clear[k] = 1 - highest
        clear[pairs:count] = 0
        for k in range(count):
            up[k] = grad[a] * clear[k]
            up_other[k] = grad[start + k] * clear[k]
        if code == JSD:
            for k in range(count):
                up[k] = (up[k] + up_other[k]) / 2
            add_jsd_run(for_classes, c, own, slopes, up, a, one[:count], middles)
            other[:count] = one[:count]
        elif code == BINARY_JSD:
            add_binary_run(for_classes, c, own, slopes, up, a, likeliest[a], one[:count], middles)
            add_binary_run_of_others(for_classes, c, own, slopes, up_other, a, likeliest, other[:count])
        else:
            raise ValueError('similarity without a Numba kernel')
        for k in range(pairs):
            if steps[k] != NONE:
                lost = grad[a] * (1 - one[k]) + grad[start + k] * (1 - other[k])
                down, right = y[start + k] - y[a], x[start + k] - x[a]
                low, high, share = beside_sample(width, order[a], down, right, steps[k])
                for_boundary[low] -= lost * (1 - share)
                for_boundary[high] -= lost * share
    return for_boundary, for_classes


@kernel
def highest_sample(
    boundary: Floats, width: int, end_points: bool, first: int, down: int, right: int
) -> tuple[float, int]:
    """Equation 1: the highest sample, and the number of the first one so high, or NONE where none is above 0."""
    length, slant, ahead, aside = axes(width, down, right)
    # The numbers of samples are doubles, so that both choices below stay free of branches: it halves the time.
    highest, chosen, step = 0.0, float(NONE), 0.0
    if end_points and boundary[first] > 0:
        highest, chosen = boundary[first], 0.0
    low, rest = first, 0
    for _ in range(1, length):
        step += 1.0
        rest += slant
        over = rest >= length
        low += ahead + aside if over else ahead
        rest -= length if over else 0
        near = boundary[low]
        # Without a rest, the pixel aside is read, and does not count. It may be in the row after the image.
        value = near + rest / length * (boundary[low + aside] - near)
        higher = value > highest
        chosen = step if higher else chosen
        highest = value if higher else highest
    last = boundary[first + down * width + right]
    if end_points and last > highest:
        highest, chosen = last, float(length)
    return highest, int(chosen)


@kernel
def beside_sample(width: int, first: int, down: int, right: int, step: int) -> tuple[int, int, float]:
    """The two pixels beside a sample of a line, and the share of the second one."""
    length, slant, ahead, aside = axes(width, down, right)
    whole, rest = step * slant // length, step * slant % length
    low = first + step * ahead + whole * aside
    return low, low + aside if rest > 0 else low, rest / length


@kernel
def own_run(own: Floats, a: int, apart: Floats) -> None:
    """The mean of the parts of a divergence that depend on one pixel."""
    first, second = own[a], own[a + 1 :]
    for k in range(len(apart)):
        apart[k] = (first + second[k]) / 2


@kernel
def jsd_run(c: Floats, own: Floats, a: int, apart: Floats) -> None:
    """The Jensen-Shannon divergence in bits, [K]."""
    own_run(own[0], a, apart)
    for n in range(len(c)):
        p, q = c[n, a], c[n, a + 1 :]
        for k in range(len(apart)):
            middle = (p + q[k]) / 2
            apart[k] -= middle * log2(middle)
    for k in range(len(apart)):
        apart[k] = min(max(apart[k], 0.0), 1.0)


@kernel
def add_jsd_run(
    total: Floats, c: Floats, own: Floats, slopes: Floats, up: Floats, a: int, apart: Floats, middles: Floats
) -> None:
    """Adds the gradient of ``-2 * up * jsd``, and computes the divergence, which needs the same logarithms."""
    count = len(apart)
    slope, half = middles[:count], up[:count]
    own_run(own[0], a, apart)
    for n in range(len(c)):
        p, q = c[n, a], c[n, a + 1 :]
        for k in range(count):
            middle = (p + q[k]) / 2
            logarithm = log2(middle)
            apart[k] -= middle * logarithm
            slope[k] = logarithm
        for k in range(count):
            slope[k] = slope[k] if (p + q[k]) / 2 >= TINY else LOWEST_SLOPE
        add_slopes(total[n], slopes[n], half, a, slope)
    for k in range(count):
        apart[k] = min(max(apart[k], 0.0), 1.0)


@kernel
def binary_run(c: Floats, own: Floats, a: int, n: int, apart: Floats) -> None:
    """The divergence of the authors' code for class n and the rest; [K]."""
    own_run(own[n], a, apart)
    p, q = c[n, a], c[n, a + 1 :]
    for k in range(len(apart)):
        apart[k] = max(apart[k] - two_classes((p + q[k]) / 2), 0.0)


@kernel
def binary_run_of_others(c: Floats, own: Floats, a: int, likeliest: Ints, apart: Floats) -> None:
    """The same for the likeliest class of each later pixel; [K]."""
    for k in range(len(apart)):
        b = a + 1 + k
        n = likeliest[b]
        apart[k] = max((own[n, a] + own[n, b]) / 2 - two_classes((c[n, a] + c[n, b]) / 2), 0.0)


@kernel
def add_binary_run(
    total: Floats, c: Floats, own: Floats, slopes: Floats, up: Floats, a: int, n: int, apart: Floats, middles: Floats
) -> None:
    """Adds the gradient of ``-up * binary_jsd``, and computes the divergence."""
    count = len(apart)
    binary_run(c, own, a, n, apart)
    slope, half = middles[:count], up[:count]
    p, q = c[n, a], c[n, a + 1 :]
    for k in range(count):
        slope[k] = logit((p + q[k]) / 2)
        half[k] /= 2
    add_slopes(total[n], slopes[n], half, a, slope)


@kernel
def add_binary_run_of_others(
    total: Floats, c: Floats, own: Floats, slopes: Floats, up: Floats, a: int, likeliest: Ints, apart: Floats
) -> None:
    """The same for the likeliest class of each later pixel."""
    binary_run_of_others(c, own, a, likeliest, apart)
    for k in range(len(apart)):
        b = a + 1 + k
        n = likeliest[b]
        slope = logit((c[n, a] + c[n, b]) / 2)
        total[n, a] -= up[k] / 2 * (slopes[n, a] - slope)
        total[n, b] -= up[k] / 2 * (slopes[n, b] - slope)


@kernel
def add_slopes(total: Floats, slopes: Floats, up: Floats, a: int, middles: Floats) -> None:
    """Takes the gradient of a divergence, but for the middles' own, from the first pixel and from the later ones."""
    total[a] -= slope_sum(up, slopes[a], middles)
    later, own = total[a + 1 :], slopes[a + 1 :]
    for k in range(len(up)):
        later[k] -= up[k] * (own[k] - middles[k])


@kernel
def add_run(sums: Floats, clear: Floats, apart: Floats) -> None:
    for k in range(len(apart)):
        sums[k] += clear[k] * (1 - apart[k])


@reordering
def weighted(clear: Floats, apart: Floats) -> float:
    total = 0.0
    for k in range(len(apart)):
        total += clear[k] * (1 - apart[k])
    return total


@reordering
def slope_sum(up: Floats, own: float, middles: Floats) -> float:
    total = 0.0
    for k in range(len(up)):
        total += up[k] * (own - middles[k])
    return total
