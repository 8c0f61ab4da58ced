"""Sums over all pairs of pixels of one region on a CPU, by rows of pairs, compiled by Numba, in double precision.

All pairs of one offset have the same samples on their lines. So a row of such pairs is a row of neighbouring numbers,
and the compiler computes several of them at once. The maps are those of the region's bounding box. No line leaves it.

The line of an offset that is a multiple of another one goes through pixels. Its maximum is the maximum of its parts, so
the kernels walk the shortest offset of a direction alone, and lengthen its lines link by link.

A row of pairs begins with the first pair inside the region and ends with the last one.

These functions stay in one file: Numba's cache on disk does not notice a change in another one.

Shapes: N classes, H x W the box, S = W + ``LANES``, K pairs in a row. The pixels beside the box are zero, and outside
the region. A row of pairs is rounded up to a multiple of ``LANES``. The pairs that are too many end in these pixels.
"""

from typing import Any, NamedTuple

import numpy as np

from .kernels_numba_math import LANES, LOWEST_SLOPE, TINY, Floats, Ints, kernel, log2, logit, two_classes
from .similarity import BINARY_JSD, JSD

NONE = -1

Row = tuple[int, int, int, int]  # y and x of the first pixel of a row of pairs, and of its partner


class Box(NamedTuple):
    """The maps of a region's bounding box."""

    boundary: Floats  # [H, S]
    classes: Floats  # class probabilities, [H, N, S]. For BINARY_JSD, they are within BINARY_BOUNDS
    inside: Floats  # 1 for pixels of the region, else 0; [H, S]
    spans: Ints  # the first and the last column of the region in each row, [H, 2]
    likeliest: Ints  # the likeliest class, [H, S]
    code: int  # the code of the similarity
    end_points: bool  # whether the lines of equation 1 include their end points


@kernel
def row_sums(box: Box, own: Floats, directions: Ints, thread: int, threads: int) -> Floats:
    """This thread's share of the sums of F_ij, without F_ii; [H, S]."""
    boundary, c, inside, spans, likeliest, code, end_points = box
    height, stride = boundary.shape
    line, link, sums = np.zeros_like(boundary), np.zeros_like(boundary), np.zeros_like(boundary)
    clear, one, other, middles = np.zeros(stride), np.zeros(stride), np.zeros(stride), np.zeros(stride)
    for number in range(thread, len(directions), threads):
        down, right = directions[number]
        first_links(boundary, down, right, link, None)
        for times in range(1, times_inside(boundary, down, right) + 1):
            lengthen(boundary, down, right, times, link, None, line, None)
            for y in range(height - times * down):
                x, count = columns_inside(spans, y, y + times * down, times * right)
                if count == 0:
                    continue
                row = (y, x, y + times * down, x + times * right)
                clear_row(boundary, line, inside, end_points, row, clear[:count])
                if code == JSD:
                    jsd_row(c, own, row, one[:count])
                    add_row(sums[row[0], row[1] :], clear, one[:count])
                    add_row(sums[row[2], row[3] :], clear, one[:count])
                elif code == BINARY_JSD:
                    binary_row(c, own, likeliest[row[0], row[1] :], row, one[:count], middles)
                    binary_row(c, own, likeliest[row[2], row[3] :], row, other[:count], middles)
                    add_row(sums[row[0], row[1] :], clear, one[:count])
                    add_row(sums[row[2], row[3] :], clear, other[:count])
                else:
                    raise ValueError('similarity without a Numba kernel')
    return sums


@kernel
def row_sums_backward(
    box: Box, own: Floats, slopes: Floats, grad: Floats, directions: Ints, thread: int, threads: int
) -> tuple[Floats, Floats]:
    """This thread's share of the gradients for the boundary scores [H, S] and the class probabilities [H, N, S]."""
    boundary, c, inside, spans, likeliest, code, end_points = box
    height, stride = boundary.shape
    for_boundary, for_classes = np.zeros_like(boundary), np.zeros_like(c)
    line, link = np.zeros_like(boundary), np.zeros_like(boundary)
    steps, link_steps, chosen = np.zeros_like(likeliest), np.zeros_like(likeliest), np.zeros(stride, np.int64)
    clear, up, up_other = np.zeros(stride), np.zeros(stride), np.zeros(stride)
    one, other, middles = np.zeros(stride), np.zeros(stride), np.zeros(stride)
    for number in range(thread, len(directions), threads):
        down, right = directions[number]
        first_links(boundary, down, right, link, link_steps)
        for times in range(1, times_inside(boundary, down, right) + 1):
            lengthen(boundary, down, right, times, link, link_steps, line, steps)
            points = samples(times * down, times * right, stride)
            for y in range(height - times * down):
                x, count = columns_inside(spans, y, y + times * down, times * right)
                if count == 0:
                    continue
                row = (y, x, y + times * down, x + times * right)
                clear_row(boundary, line, inside, end_points, row, clear[:count])
                up_row(grad[row[0], row[1] :], clear, up[:count])
                up_row(grad[row[2], row[3] :], clear, up_other[:count])
                if code == JSD:
                    up[:] = (up + up_other) / 2
                    add_jsd_row(for_classes, c, own, slopes, up, row, one[:count], middles)
                    other[:] = one
                elif code == BINARY_JSD:
                    n, m = likeliest[row[0], row[1] :], likeliest[row[2], row[3] :]
                    add_binary_row(for_classes, c, own, slopes, n, up, row, one[:count], middles)
                    add_binary_row(for_classes, c, own, slopes, m, up_other, row, other[:count], middles)
                else:
                    raise ValueError('similarity without a Numba kernel')
                highest_row(boundary, line, steps, end_points, row, len(points[0]) - 1, chosen[:count])
                lost_row(grad, inside, row, one, other, up[:count])
                add_boundary_row(for_boundary, points, chosen[:count], up, row)
    return for_boundary, for_classes


@kernel
def times_inside(boundary: Floats, down: int, right: int) -> int:
    """How many links of a direction fit into the box."""
    height, width = boundary.shape[0], boundary.shape[1] - LANES
    times = max(height, width)
    if down > 0:
        times = min(times, (height - 1) // down)
    if right != 0:
        times = min(times, (width - 1) // abs(right))
    return times


@kernel
def columns(boundary: Floats, right: int) -> tuple[int, int]:
    """The first column of a row of pairs, and the number of pairs, rounded up to whole vectors."""
    pairs = boundary.shape[1] - LANES - abs(right)
    return max(0, -right), (pairs + LANES - 1) // LANES * LANES


@kernel
def columns_inside(spans: Ints, y: int, v: int, right: int) -> tuple[int, int]:
    """The columns of a row of pairs from the first pair inside the region to the last one, in whole vectors."""
    x = max(spans[y, 0], spans[v, 0] - right)
    pairs = min(spans[y, 1], spans[v, 1] - right) - x + 1
    return x, (max(pairs, 0) + LANES - 1) // LANES * LANES


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
def first_links(boundary: Floats, down: int, right: int, link: Floats, steps: Any) -> None:
    """The line maximum of equation 1 for pairs of one link. ``steps``, if any, gets the highest sample."""
    flat, stride = boundary.reshape(-1), boundary.shape[1]
    low, high, share = samples(down, right, stride)
    x, count = columns(boundary, right)
    for y in range(len(boundary) - down):
        best = link[y, x : x + count]
        best[:] = 0
        for step in range(1, len(low) - 1):
            start = y * stride + x
            near, far = flat[start + low[step] :][:count], flat[start + high[step] :][:count]
            part = share[step]
            if steps is None:
                for k in range(count):
                    value = near[k] + part * (far[k] - near[k])
                    best[k] = value if value > best[k] else best[k]
            else:
                chosen = steps[y, x : x + count]
                for k in range(count):
                    value = near[k] + part * (far[k] - near[k])
                    chosen[k] = step if value > best[k] else chosen[k]
                    best[k] = value if value > best[k] else best[k]


@kernel
def lengthen(
    boundary: Floats, down: int, right: int, times: int, link: Floats, link_steps: Any, line: Floats, steps: Any
) -> None:
    """Lengthens lines of ``times - 1`` links by a pixel and one link. Of equal samples, the first stays the highest."""
    x, count = columns(boundary, times * right)
    v, u = (times - 1) * down, x + (times - 1) * right
    passed = (times - 1) * max(down, abs(right))  # the number of the pixel at their end
    for y in range(len(boundary) - times * down):
        best, pixel, more = line[y, x : x + count], boundary[y + v, u : u + count], link[y + v, u : u + count]
        if times == 1:
            best[:] = more
            if steps is not None:
                steps[y, x : x + count] = link_steps[y + v, u : u + count]
        elif steps is None:
            for k in range(count):
                value = max(pixel[k], more[k])
                best[k] = value if value > best[k] else best[k]
        else:
            chosen, number = steps[y, x : x + count], link_steps[y + v, u : u + count]
            for k in range(count):
                chosen[k] = passed if pixel[k] > best[k] else chosen[k]
                best[k] = pixel[k] if pixel[k] > best[k] else best[k]
                chosen[k] = passed + number[k] if more[k] > best[k] else chosen[k]
                best[k] = more[k] if more[k] > best[k] else best[k]


@kernel
def clear_row(boundary: Floats, line: Floats, inside: Floats, end_points: bool, row: Row, clear: Floats) -> None:
    """``1 - D`` for pairs inside the region, and 0 for others; [K]."""
    y, x, v, u = row
    count = len(clear)
    between, first, last = line[y, x : x + count], boundary[y, x : x + count], boundary[v, u : u + count]
    inside_i, inside_j = inside[y, x : x + count], inside[v, u : u + count]
    if end_points:
        for k in range(count):
            clear[k] = inside_i[k] * inside_j[k] * (1 - max(between[k], max(first[k], last[k])))
    else:
        for k in range(count):
            clear[k] = inside_i[k] * inside_j[k] * (1 - between[k])


@kernel
def own_row(own: Floats, row: Row, apart: Floats) -> None:
    """The mean of the negative entropies of two pixels."""
    y, x, v, u = row
    first, second = own[y, 0, x : x + len(apart)], own[v, 0, u : u + len(apart)]
    for k in range(len(apart)):
        apart[k] = (first[k] + second[k]) / 2


@kernel
def jsd_row(c: Floats, own: Floats, row: Row, apart: Floats) -> None:
    """The Jensen-Shannon divergence in bits, [K]."""
    y, x, v, u = row
    own_row(own, row, apart)
    for n in range(c.shape[1]):
        p, q = c[y, n, x : x + len(apart)], c[v, n, u : u + len(apart)]
        for k in range(len(apart)):
            middle = (p[k] + q[k]) / 2
            apart[k] -= middle * log2(middle)
    for k in range(len(apart)):
        apart[k] = min(max(apart[k], 0.0), 1.0)


@kernel
def add_jsd_row(
    total: Floats, c: Floats, own: Floats, slopes: Floats, up: Floats, row: Row, apart: Floats, slope: Floats
) -> None:
    """Adds the gradient of ``-2 * up * jsd``, and computes the divergence, which needs the same logarithms."""
    y, x, v, u = row
    count = len(apart)
    own_row(own, row, apart)
    half, mid = up[:count], slope[:count]
    for n in range(c.shape[1]):
        p, q = c[y, n, x : x + count], c[v, n, u : u + count]
        for k in range(count):
            middle = (p[k] + q[k]) / 2
            logarithm = log2(middle)
            apart[k] -= middle * logarithm
            mid[k] = logarithm
        for k in range(count):
            mid[k] = mid[k] if (p[k] + q[k]) / 2 >= TINY else LOWEST_SLOPE
        for_p, slope_p = total[y, n, x : x + count], slopes[y, n, x : x + count]
        for k in range(count):
            for_p[k] -= half[k] * (slope_p[k] - mid[k])
        for_q, slope_q = total[v, n, u : u + count], slopes[v, n, u : u + count]
        for k in range(count):
            for_q[k] -= half[k] * (slope_q[k] - mid[k])
    for k in range(count):
        apart[k] = min(max(apart[k], 0.0), 1.0)


@kernel
def binary_row(c: Floats, own: Floats, likeliest: Ints, row: Row, apart: Floats, middles: Floats) -> None:
    """The divergence of the authors' code, for the class ``likeliest`` of each pair and the rest; [K]."""
    y, x, v, u = row
    for k in range(len(apart)):
        n = likeliest[k]
        middles[k] = (c[y, n, x + k] + c[v, n, u + k]) / 2
        apart[k] = (own[y, n, x + k] + own[v, n, u + k]) / 2
    for k in range(len(apart)):
        apart[k] = max(apart[k] - two_classes(middles[k]), 0.0)


@kernel
def add_binary_row(
    total: Floats,
    c: Floats,
    own: Floats,
    slopes: Floats,
    likeliest: Ints,
    up: Floats,
    row: Row,
    apart: Floats,
    middles: Floats,
) -> None:
    """Adds the gradient of ``-up * binary_jsd``, and computes the divergence."""
    y, x, v, u = row
    binary_row(c, own, likeliest, row, apart, middles)
    for k in range(len(apart)):
        middles[k] = logit(middles[k])
    for k in range(len(apart)):
        n = likeliest[k]
        total[y, n, x + k] -= up[k] / 2 * (slopes[y, n, x + k] - middles[k])
        total[v, n, u + k] -= up[k] / 2 * (slopes[v, n, u + k] - middles[k])


@kernel
def add_row(sums: Floats, clear: Floats, apart: Floats) -> None:
    for k in range(len(apart)):
        sums[k] += clear[k] * (1 - apart[k])


@kernel
def up_row(grad: Floats, clear: Floats, up: Floats) -> None:
    for k in range(len(up)):
        up[k] = grad[k] * clear[k]


@kernel
def lost_row(grad: Floats, inside: Floats, row: Row, one: Floats, other: Floats, lost: Floats) -> None:
    """The gradient for 1 - D of pairs inside the region, and 0 for others; [K]."""
    y, x, v, u = row
    count = len(lost)
    first, second = grad[y, x : x + count], grad[v, u : u + count]
    inside_i, inside_j = inside[y, x : x + count], inside[v, u : u + count]
    for k in range(count):
        lost[k] = inside_i[k] * inside_j[k] * (first[k] * (1 - one[k]) + second[k] * (1 - other[k]))


@kernel
def highest_row(
    boundary: Floats, line: Floats, steps: Ints, end_points: bool, row: Row, length: int, chosen: Ints
) -> None:
    """The first of the highest samples on the line of each pair, or NONE where no sample is above 0; [K]."""
    y, x, v, u = row
    count = len(chosen)
    between, number = line[y, x : x + count], steps[y, x : x + count]
    first, last = boundary[y, x : x + count], boundary[v, u : u + count]
    for k in range(count):
        chosen[k] = number[k] if between[k] > 0 else NONE
    if end_points:
        for k in range(count):
            highest = max(between[k], first[k])
            chosen[k] = 0 if first[k] > 0 and first[k] >= between[k] else chosen[k]
            chosen[k] = length if last[k] > highest else chosen[k]


@kernel
def add_boundary_row(total: Floats, points: tuple[Ints, Ints, Floats], chosen: Ints, lost: Floats, row: Row) -> None:
    """Takes the gradient for 1 - D from the two pixels beside the highest sample of each pair."""
    low, high, share = points
    flat, start = total.reshape(-1), row[0] * total.shape[1] + row[1]
    for k in range(len(chosen)):
        step = chosen[k]
        if step != NONE and lost[k] != 0:
            flat[start + k + low[step]] -= lost[k] * (1 - share[step])
            flat[start + k + high[step]] -= lost[k] * share[step]


@kernel
def own_terms(c: Floats, code: int) -> Floats:
    """The part of a divergence that depends on one pixel.

    It is the negative entropy in bits, [H, 1, S]. For BINARY_JSD it is ``two_classes``, [H, N, S].
    """
    height, classes, stride = c.shape
    own = np.zeros((height, 1 if code == JSD else classes, stride))
    for y in range(height):
        for n in range(classes):
            for x in range(stride):
                if code == JSD:
                    own[y, 0, x] += c[y, n, x] * log2(c[y, n, x])
                else:
                    own[y, n, x] = two_classes(c[y, n, x])
    return own


@kernel
def own_slopes(c: Floats, code: int) -> Floats:
    """The derivative of ``own_terms``. For JSD it lacks 1 / log(2), which cancels in differences; [H, N, S]."""
    slopes = np.zeros_like(c)
    flat, found = c.reshape(-1), slopes.reshape(-1)
    for k in range(len(flat)):
        if code == JSD:
            found[k] = log2(flat[k]) if flat[k] >= TINY else LOWEST_SLOPE
        else:
            found[k] = logit(flat[k])
    return slopes
