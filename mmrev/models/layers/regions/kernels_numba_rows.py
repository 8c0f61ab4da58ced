"""Sums over all pairs of pixels of one region on a CPU, by rows of pairs, compiled by Numba, in double precision.

All pairs of one offset have the same samples on their lines. So a row of such pairs is a row of neighbouring numbers,
and the compiler computes several of them at once. The maps are those of the region's bounding box. Lines cannot leave it.

The line of an offset that is a multiple of another one goes through pixels. Its maximum is the maximum of its parts, so
the kernels walk the shortest offset of a direction alone, and lengthen its lines link by link.

All compiled functions stay in this file: Numba's cache on disk does not notice a change in another one.

Shapes: N classes, H x W the box, S = W + ``LANES`` the pixels in a row of a map, P = H * S. The pixels beside the box
are zero, and not inside the region. A row of pairs is rounded up to ``LANES`` pairs. The others end in these pixels.
"""

import math
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from .similarity import BINARY_BOUNDS, BINARY_JSD, JSD

LANES = 8
LN2 = math.log(2)
LOWEST, HIGHEST = BINARY_BOUNDS
TINY = sys.float_info.min
LOWEST_SLOPE = math.log2(TINY) - 1 / LN2  # the derivative of p log2 p below TINY, without 1 / log(2)
NONE = -1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
F = TypeVar('F', bound=Callable[..., Any])


class Box(NamedTuple):
    """The maps of a region's bounding box."""

    height: int
    width: int
    boundary: Floats  # [P]
    classes: Floats  # class probabilities, [N, P]. For BINARY_JSD, they are within BINARY_BOUNDS
    inside: Floats  # 1 for pixels of the region, else 0; [P]
    likeliest: Ints  # the likeliest class, [P]
    code: int  # the code of the similarity
    end_points: bool  # whether the lines of equation 1 include their end points


def kernel(function: F) -> F:
    """Compiles a function that runs in threads. Keeps the result on disk where a folder can be written.

    Without Python's check for a division by zero, loops become vector instructions. With ``contract``, a product and a
    sum may be one instruction. Nothing else about floating point is relaxed.
    """
    options = dict(nogil=True, error_model='numpy')
    try:
        return cast(F, njit(function, cache=True, **options))
    except RuntimeError:
        return cast(F, njit(function, **options))


@intrinsic
def _bits(context, number):  # type: ignore[no-untyped-def]
    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.bitcast(args[0], ir.IntType(64))

    return types.uint64(types.float64), build


@intrinsic
def _number(context, bits):  # type: ignore[no-untyped-def]
    def build(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.uint64), build


# A double is a sign, 11 bits of exponent + 1023, and 52 bits of mantissa.
MANTISSA, ONE = np.uint64(52), np.uint64(1023 << 52)
# Added to the bits, it carries into the exponent for mantissas above sqrt(2).
HALFWAY = np.uint64(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
# The bits of 2**52. A number below 2**52 in their last bits is added to 2**52.
WHOLE, WHOLE_BIAS = np.uint64(0x4330000000000000), 2.0**52 + 1023
# 2 / log(2) * atanh(s) / s as a polynomial in s^2, for |s| <= (sqrt(2) - 1) / (sqrt(2) + 1). Its error is 4e-18.
A0, A1, A2, A3 = 2.8853900817779268, 0.9617966939259898, 0.5770780163455203, 0.4121985858409005
A4, A5, A6, A7 = 0.3205985349139598, 0.26233435250418674, 0.2209130842310929, 0.21365895694395293


@kernel
def log2(p: float) -> float:
    """The logarithm of a number >= TINY, and of TINY for lower ones, within 4 units in the last place.

    ``np.log2`` calls a function for each number, which keeps a loop from becoming vector instructions.
    """
    bits = _bits(max(p, TINY))
    exponent = (bits + HALFWAY) >> MANTISSA
    mantissa = _number(bits - (exponent << MANTISSA) + ONE)
    s = (mantissa - 1.0) / (mantissa + 1.0)
    z = s * s
    series = A0 + z * (A1 + z * (A2 + z * (A3 + z * (A4 + z * (A5 + z * (A6 + z * A7))))))
    return float(_number(exponent | WHOLE) - WHOLE_BIAS + s * series)


@kernel
def row_sums(box: Box, own: Floats, directions: Ints, thread: int, threads: int) -> Floats:
    """This thread's share of the sums of F_ij, without F_ii; [P]."""
    height, width, boundary, c, inside, likeliest, code, end_points = box
    stride = width + LANES
    line, link, sums = np.zeros_like(boundary), np.zeros_like(boundary), np.zeros_like(boundary)
    clear, one, other, middles = np.zeros(stride), np.zeros(stride), np.zeros(stride), np.zeros(stride)
    for number in range(thread, len(directions), threads):
        first_links(boundary, height, width, directions[number], link, None)
        for times in range(1, max(height, width)):
            down, right = times * directions[number, 0], times * directions[number, 1]
            if down >= height or abs(right) >= width:
                break
            lengthen(boundary, height, width, directions[number], times, link, None, line, None)
            count = lanes(width - abs(right))
            for y in range(height - down):
                i = y * stride + max(0, -right)
                j = i + down * stride + right
                clear_row(boundary, line, inside, end_points, i, j, clear[:count])
                if code == JSD:
                    jsd_row(c, own, i, j, one[:count])
                    add_row(sums, i, clear, one, count)
                    add_row(sums, j, clear, one, count)
                elif code == BINARY_JSD:
                    binary_row(c, own, likeliest[i : i + count], i, j, one[:count], middles)
                    binary_row(c, own, likeliest[j : j + count], i, j, other[:count], middles)
                    add_row(sums, i, clear, one, count)
                    add_row(sums, j, clear, other, count)
                else:
                    raise ValueError('similarity without a Numba kernel')
    return sums


@kernel
def row_sums_backward(
    box: Box, own: Floats, slopes: Floats, grad: Floats, directions: Ints, thread: int, threads: int
) -> tuple[Floats, Floats]:
    """This thread's share of the gradients for the boundary scores [P] and the class probabilities [N, P]."""
    height, width, boundary, c, inside, likeliest, code, end_points = box
    stride = width + LANES
    for_boundary, for_classes = np.zeros_like(boundary), np.zeros_like(c)
    line, link = np.zeros_like(boundary), np.zeros_like(boundary)
    steps, link_steps, chosen = np.zeros_like(likeliest), np.zeros_like(likeliest), np.zeros(stride, np.int64)
    clear, up_i, up_j = np.zeros(stride), np.zeros(stride), np.zeros(stride)
    one, other, middles = np.zeros(stride), np.zeros(stride), np.zeros(stride)
    for number in range(thread, len(directions), threads):
        first_links(boundary, height, width, directions[number], link, link_steps)
        for times in range(1, max(height, width)):
            down, right = times * directions[number, 0], times * directions[number, 1]
            if down >= height or abs(right) >= width:
                break
            lengthen(boundary, height, width, directions[number], times, link, link_steps, line, steps)
            points = samples(down, right, stride)
            count = lanes(width - abs(right))
            for y in range(height - down):
                i = y * stride + max(0, -right)
                j = i + down * stride + right
                clear_row(boundary, line, inside, end_points, i, j, clear[:count])
                up_row(grad, clear, i, up_i[:count])
                up_row(grad, clear, j, up_j[:count])
                if code == JSD:
                    up_i += up_j
                    add_jsd_row(for_classes, c, own, slopes, up_i, i, j, one[:count], middles)
                    other[:] = one
                elif code == BINARY_JSD:
                    n, m = likeliest[i : i + count], likeliest[j : j + count]
                    add_binary_row(for_classes, c, own, slopes, n, up_i, i, j, one[:count], middles)
                    add_binary_row(for_classes, c, own, slopes, m, up_j, i, j, other[:count], middles)
                else:
                    raise ValueError('similarity without a Numba kernel')
                highest_row(boundary, line, steps, end_points, i, j, len(points[0]) - 1, chosen[:count])
                add_boundary_row(for_boundary, points, chosen[:count], grad, inside, one, other, i, j)
    return for_boundary, for_classes


@kernel
def up_row(grad: Floats, clear: Floats, start: int, up: Floats) -> None:
    own = grad[start : start + len(up)]
    for k in range(len(up)):
        up[k] = own[k] * clear[k]


@kernel
def add_jsd_row(
    total: Floats, c: Floats, entropies: Floats, slopes: Floats, up: Floats, i: int, j: int, apart: Floats, slope: Floats
) -> None:
    """Adds the gradient of ``-up * jsd``, and computes the divergence, which needs the same logarithms."""
    count = len(apart)
    first, second = entropies[0, i : i + count], entropies[0, j : j + count]
    for k in range(count):
        apart[k] = (first[k] + second[k]) / 2
    for n in range(len(c)):
        p, q, mid = c[n, i : i + count], c[n, j : j + count], slope[:count]
        for k in range(count):
            mid[k] = log2((p[k] + q[k]) / 2)
        for k in range(count):
            middle = (p[k] + q[k]) / 2
            apart[k] -= middle * mid[k]
            mid[k] = mid[k] if middle >= TINY else LOWEST_SLOPE
        add_slopes(total[n, i : i + count], up, slopes[n, i : i + count], mid)
        add_slopes(total[n, j : j + count], up, slopes[n, j : j + count], mid)
    for k in range(count):
        apart[k] = min(max(apart[k], 0.0), 1.0)


@kernel
def add_slopes(total: Floats, up: Floats, slopes: Floats, middle: Floats) -> None:
    for k in range(len(total)):
        total[k] -= up[k] / 2 * (slopes[k] - middle[k])


@kernel
def add_binary_row(
    total: Floats,
    c: Floats,
    own: Floats,
    slopes: Floats,
    likeliest: Ints,
    up: Floats,
    i: int,
    j: int,
    apart: Floats,
    middles: Floats,
) -> None:
    """Adds the gradient of ``-up * binary_jsd``, and computes the divergence."""
    binary_row(c, own, likeliest, i, j, apart, middles)
    for k in range(len(apart)):
        middles[k] = logit(middles[k])
    for k in range(len(apart)):
        n = likeliest[k]
        total[n, i + k] -= up[k] / 2 * (slopes[n, i + k] - middles[k])
        total[n, j + k] -= up[k] / 2 * (slopes[n, j + k] - middles[k])


@kernel
def highest_row(
    boundary: Floats, line: Floats, steps: Ints, end_points: bool, i: int, j: int, length: int, chosen: Ints
) -> None:
    """The first of the highest samples on the line of each pair, or NONE where no sample is above 0."""
    count = len(chosen)
    between, own, last = line[i : i + count], steps[i : i + count], boundary[j : j + count]
    for k in range(count):
        highest = 0.0
        chosen[k] = NONE
        if end_points and boundary[i + k] > highest:
            highest, chosen[k] = boundary[i + k], 0
        if between[k] > highest:
            highest, chosen[k] = between[k], own[k]
        if end_points and last[k] > highest:
            chosen[k] = length


@kernel
def add_boundary_row(
    total: Floats,
    points: tuple[Ints, Ints, Floats],
    chosen: Ints,
    grad: Floats,
    inside: Floats,
    one: Floats,
    other: Floats,
    i: int,
    j: int,
) -> None:
    """Adds the gradient of ``sum(up * F)`` for the two pixels beside the highest sample of each pair."""
    low, high, share = points
    for k in range(len(chosen)):
        if chosen[k] != NONE and inside[i + k] * inside[j + k] != 0:
            lost = grad[i + k] * (1 - one[k]) + grad[j + k] * (1 - other[k])
            part = share[chosen[k]]
            total[i + k + low[chosen[k]]] -= lost * (1 - part)
            total[i + k + high[chosen[k]]] -= lost * part


@kernel
def own_slopes(c: Floats, code: int) -> Floats:
    """The derivative of ``own_terms``. For JSD without 1 / log(2), which cancels in differences; [N, P]."""
    slopes = np.zeros_like(c)
    for n in range(len(c)):
        for k in range(c.shape[1]):
            p = c[n, k]
            if code == JSD:
                slopes[n, k] = log2(p) if p >= TINY else LOWEST_SLOPE
            else:
                slopes[n, k] = logit(p)
    return slopes


@kernel
def logit(p: float) -> float:
    return LN2 * (log2(p) - log2(1 - p))


@kernel
def lanes(count: int) -> int:
    return (count + LANES - 1) // LANES * LANES


@kernel
def first_links(
    boundary: Floats, height: int, width: int, direction: Ints, link: Floats, steps: Ints | None
) -> None:
    """The line maximum of equation 1 for each pixel and the one at ``direction``. ``steps`` gets the highest sample."""
    down, right, stride = direction[0], direction[1], width + LANES
    low, high, share = samples(down, right, stride)
    count = lanes(width - abs(right))
    for y in range(height - down):
        i = y * stride + max(0, -right)
        best = link[i : i + count]
        best[:] = 0
        for step in range(1, len(low) - 1):
            near, far = boundary[i + low[step] :][:count], boundary[i + high[step] :][:count]
            part = share[step]
            if steps is None:
                for k in range(count):
                    value = near[k] + part * (far[k] - near[k])
                    best[k] = value if value > best[k] else best[k]
            else:
                chosen = steps[i : i + count]
                for k in range(count):
                    value = near[k] + part * (far[k] - near[k])
                    chosen[k] = step if value > best[k] else chosen[k]
                    best[k] = value if value > best[k] else best[k]


@kernel
def samples(down: int, right: int, stride: int) -> tuple[Ints, Ints, Floats]:
    """The samples of a line, its end points included: the two pixels beside each, and the share of the second one."""
    steep = down >= abs(right)
    length, slant = (down, right) if steep else (abs(right), down)
    ahead = stride if steep else (1 if right > 0 else -1)
    aside = 1 if steep else stride
    low, share = np.zeros(length + 1, np.int64), np.zeros(length + 1)
    high = low.copy()
    for step in range(length + 1):
        whole, rest = step * slant // length, step * slant % length
        low[step] = step * ahead + whole * aside
        high[step] = low[step] + (aside if rest > 0 else 0)
        share[step] = rest / length
    return low, high, share


@kernel
def lengthen(
    boundary: Floats,
    height: int,
    width: int,
    direction: Ints,
    times: int,
    link: Floats,
    link_steps: Ints | None,
    line: Floats,
    steps: Ints | None,
) -> None:
    """Lengthens lines of ``times - 1`` links by the pixel at their end and one link."""
    stride = width + LANES
    down, right, before = times * direction[0], times * direction[1], times - 1
    passed = before * max(direction[0], abs(direction[1]))  # the samples before that pixel
    count = lanes(width - abs(right))
    for y in range(height - down):
        i = y * stride + max(0, -right)
        best, end = line[i : i + count], i + before * (direction[0] * stride + direction[1])
        pixel, further = boundary[end : end + count], link[end : end + count]
        if before == 0:
            best[:] = further
        elif steps is None:
            for k in range(count):
                value = max(pixel[k], further[k])
                best[k] = value if value > best[k] else best[k]
        if steps is not None:
            chosen, further_steps = steps[i : i + count], link_steps[end : end + count]
            if before == 0:
                chosen[:] = further_steps
            else:
                for k in range(count):
                    chosen[k] = passed if pixel[k] > best[k] else chosen[k]
                    best[k] = pixel[k] if pixel[k] > best[k] else best[k]
                    chosen[k] = passed + further_steps[k] if further[k] > best[k] else chosen[k]
                    best[k] = further[k] if further[k] > best[k] else best[k]


@kernel
def clear_row(
    boundary: Floats, line: Floats, inside: Floats, end_points: bool, i: int, j: int, clear: Floats
) -> None:
    """``1 - D`` for pairs inside the region, and 0 for others."""
    count = len(clear)
    between, inside_i, inside_j = line[i : i + count], inside[i : i + count], inside[j : j + count]
    for k in range(count):
        clear[k] = between[k]
    if end_points:
        for end in (i, j):
            scores = boundary[end : end + count]
            for k in range(count):
                clear[k] = scores[k] if scores[k] > clear[k] else clear[k]
    for k in range(count):
        clear[k] = inside_i[k] * inside_j[k] * (1 - clear[k])


@kernel
def jsd_row(c: Floats, entropies: Floats, i: int, j: int, apart: Floats) -> None:
    """The Jensen-Shannon divergence in bits."""
    count = len(apart)
    first, second = entropies[0, i : i + count], entropies[0, j : j + count]
    for k in range(count):
        apart[k] = (first[k] + second[k]) / 2
    for n in range(len(c)):
        p, q = c[n, i : i + count], c[n, j : j + count]
        for k in range(count):
            middle = (p[k] + q[k]) / 2
            apart[k] -= middle * log2(middle)
    for k in range(count):
        apart[k] = min(max(apart[k], 0.0), 1.0)


@kernel
def binary_row(c: Floats, own: Floats, likeliest: Ints, i: int, j: int, apart: Floats, middles: Floats) -> None:
    """The divergence of the authors' code, for the class ``likeliest`` of each pair and the rest."""
    for k in range(len(apart)):
        n = likeliest[k]
        middles[k] = (c[n, i + k] + c[n, j + k]) / 2
        apart[k] = (own[n, i + k] + own[n, j + k]) / 2
    for k in range(len(apart)):
        apart[k] = max(apart[k] - two_classes(middles[k]), 0.0)


@kernel
def two_classes(p: float) -> float:
    """The negative entropy of a class and the rest, in nats."""
    return LN2 * (p * log2(p) + (1 - p) * log2(1 - p))


@kernel
def add_row(sums: Floats, start: int, clear: Floats, apart: Floats, count: int) -> None:
    total = sums[start : start + count]
    for k in range(count):
        total[k] += clear[k] * (1 - apart[k])


@kernel
def own_terms(c: Floats, code: int) -> Floats:
    """The part of a divergence that depends on one pixel: negative entropies [1, P], or ``two_classes`` [N, P]."""
    own = np.zeros((1 if code == JSD else len(c), c.shape[1]))
    for n in range(len(c)):
        for k in range(c.shape[1]):
            if code == JSD:
                own[0, k] += c[n, k] * log2(c[n, k])
            else:
                own[n, k] = two_classes(c[n, k])
    return own
