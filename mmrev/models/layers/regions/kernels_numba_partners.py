"""Equation 4 on a CPU: the partner of each pixel, compiled by Numba, in double precision.

A pixel looks for its partner in a list of candidates, by class and by area. No other pixel can be its partner:

- Class: two pixels that belong together have close probabilities of the first one's likeliest class. This is Pinsker's
  inequality for two classes, that class and the rest. Merging classes lowers the divergence.
- Area: an open pixel has a low boundary score. A sample of a line lies between two pixels and their scores. So a low
  sample has an open pixel, and a line of low samples is a chain of open pixels. The chain steps by one pixel along the
  line and by two at most across it. An area is a part of the open pixels that such steps connect. The chain begins and
  ends beside the two pixels of the pair. So both have the same area beside them, or they are neighbours.

These functions stay in one file: Numba's cache on disk does not notice a change in another one.

Shapes: N classes, H x W the image, P = H * W its pixels in raster order. The first pixel of a pair has the lower index.
"""

from math import log, sqrt
from typing import NamedTuple

import numpy as np

from .kernels_numba_math import LN2, TINY, Floats, Ints, Line, axes, kernel
from .similarity import BINARY_JSD, JSD

# Rounding moves a bound by less than this, so no pair is dropped by mistake.
MARGIN = 1e-6
NONE = -1
MOST_AREAS = 4  # of the eight pixels around one, those in different areas do not touch
# The steps to pixels that come before, in raster order, of a chain of open pixels: down and right.
STEPS = ((-2, -1), (-2, 1), (-1, -2), (-1, -1), (-1, 0), (-1, 1), (-1, 2), (0, -1))


class Pixels(NamedTuple):
    """The maps of one image. A kernel unpacks them once: the fields of a tuple are slower to read inside a loop."""

    boundary: Floats  # and one more row, which is read and does not count; [P + W]
    width: int
    classes: Floats  # class probabilities, [P, N]. For BINARY_JSD, they are within BINARY_BOUNDS
    by_class: Floats  # the same, [N, P]
    entropies: Floats  # negative entropies in bits, [P]
    likeliest: Ints  # the likeliest class, [P]
    code: int
    end_points: bool


@kernel
def pair_partners(image: Pixels, threshold: float, thread: int, threads: int) -> Ints:
    """The partners of this thread's pixels. Others are 0."""
    c, by_class, width = image.classes, image.by_class, image.width
    partners = np.zeros(len(c), np.int64)
    beside = areas_beside(areas(image.boundary[: len(c)], width, 1 - threshold + MARGIN), width)
    reach = farthest(image.code, threshold)
    for n in range(len(by_class)):
        members = (image.likeliest == n).nonzero()[0][thread::threads]
        if len(members) == 0:
            continue
        partners[members] = members
        reachable = members[beside[members, 0] != NONE]
        if len(reachable) > 0:
            starts, listed = candidates(by_class[n], by_class[n][reachable].min() - reach, beside)
            near = by_class[n][listed]
            for i in reachable:
                for area in beside[i]:
                    if area != NONE:
                        own = slice(starts[area], starts[area + 1])
                        partners[i] = first_near(listed[own], near[own], reach, i, image, threshold, partners[i])
        for i in members:
            partners[i] = first_of(neighbours_before(i, width), i, image, threshold, partners[i])
    return partners


@kernel
def farthest(code: int, threshold: float) -> float:
    """How far the probabilities of a likeliest class can be apart in two pixels that belong together."""
    room = 1 - threshold + MARGIN
    if code == JSD:
        return sqrt(2 * LN2 * room)
    if code == BINARY_JSD:  # in nats, and one of two divergences, whose mean decides
        return sqrt(4 * room)
    raise ValueError('similarity without a Numba kernel')


@kernel
def areas(boundary: Floats, width: int, highest: float) -> Ints:
    """The area of each pixel, by one of its pixels, or NONE for a pixel that is not open; [P]."""
    found = np.full(len(boundary), NONE)
    for i in range(len(boundary)):
        if boundary[i] <= highest:
            found[i] = i
            y, x = i // width, i % width
            for down, right in STEPS:
                v, u = y + down, x + right
                if v >= 0 and 0 <= u < width and found[v * width + u] != NONE:
                    one, other = top(found, i), top(found, v * width + u)
                    found[max(one, other)] = min(one, other)
    for i in range(len(boundary)):
        if found[i] != NONE:
            found[i] = found[found[i]]  # earlier pixels have their areas already
    return found


@kernel
def top(found: Ints, i: int) -> int:
    """Follows a pixel's chain to its end, and shortens it."""
    while found[i] != i:
        found[i] = found[found[i]]
        i = found[i]
    return i


@kernel
def areas_beside(found: Ints, width: int) -> Ints:
    """The areas of the pixels around each pixel, then NONE; [P, MOST_AREAS]."""
    beside, height = np.full((len(found), MOST_AREAS), NONE), len(found) // width
    for i in range(len(found)):
        y, x = i // width, i % width
        count = 0
        for v in range(max(y - 1, 0), min(y + 2, height)):
            for u in range(max(x - 1, 0), min(x + 2, width)):
                area = found[v * width + u]
                known = area == NONE or v * width + u == i
                for k in range(count):
                    known = known or beside[i, k] == area
                if not known:
                    beside[i, count] = area
                    count += 1
    return beside


@kernel
def candidates(probabilities: Floats, lowest: float, beside: Ints) -> tuple[Ints, Ints]:
    """The pixels with a probability [P] from the lowest one on, by the areas beside them, and then by index.

    Returns:
        The start of each area [P + 1], and the pixels.
    """
    starts = np.zeros(len(beside) + 1, np.int64)
    for j in range(len(beside)):
        if probabilities[j] >= lowest:
            for area in beside[j]:
                if area != NONE:
                    starts[area + 1] += 1
    for area in range(len(beside)):
        starts[area + 1] += starts[area]
    places, listed = starts[:-1].copy(), np.empty(starts[-1], np.int64)
    for j in range(len(beside)):
        if probabilities[j] >= lowest:
            for area in beside[j]:
                if area != NONE:
                    listed[places[area]] = j
                    places[area] += 1
    return starts, listed


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
def first_of(listed: Ints, i: int, image: Pixels, threshold: float, otherwise: int) -> int:
    """The first listed pixel before ``otherwise`` that belongs together with pixel i."""
    for j in listed:
        if j >= otherwise:
            break
        line = line_between(image.width, j, i)
        highest = line_maximum(image.boundary, image.end_points, j, i, line, 1 - threshold + MARGIN)[0]
        if together(highest, j, i, image, threshold):
            return int(j)
    return otherwise


@kernel
def first_near(
    listed: Ints, near: Floats, reach: float, i: int, image: Pixels, threshold: float, otherwise: int
) -> int:
    """The first listed pixel before ``otherwise`` that belongs together with pixel i.

    Lines to pixels side by side pass the same boundary. So the sample that stopped the last line is tried first.

    Args:
        near: The listed pixels' probabilities of the likeliest class of pixel i.
    """
    own, enough, before = image.classes[i, image.likeliest[i]], 1 - threshold + MARGIN, 0
    for k in range(len(listed)):
        if abs(near[k] - own) <= reach:
            j = listed[k]
            if j >= otherwise:
                break
            line = line_between(image.width, j, i)
            if 0 < before < line[0] and sample(image.boundary, j, line, line[0] - before) >= enough:
                continue
            highest, step = line_maximum(image.boundary, image.end_points, j, i, line, enough)
            before = line[0] - step
            if together(highest, j, i, image, threshold):
                return int(j)
    return otherwise


@kernel
def together(highest: float, i: int, j: int, image: Pixels, threshold: float) -> bool:
    """Equation 4 for a pair of pixels, from the highest sample on its line."""
    _, _, c, _, entropies, likeliest, code, _ = image
    if 1 - highest <= threshold:
        return False
    if code == JSD:
        apart = jsd(c, entropies, i, j, 1 - threshold + MARGIN)
    else:
        n, m = likeliest[i], likeliest[j]
        apart = (binary_jsd(c[i, n], c[j, n]) + binary_jsd(c[i, m], c[j, m])) / 2
    return bool((1 - highest) * (1 - apart) > threshold)


@kernel
def line_between(width: int, first: int, last: int) -> Line:
    """The line from the first to the last pixel."""
    return axes(width, last // width - first // width, last % width - first % width)


@kernel
def line_maximum(
    boundary: Floats, end_points: bool, first: int, last: int, line: Line, enough: float
) -> tuple[float, int]:
    """Equation 1: the highest sample. Stops at a sample from ``enough`` on, and returns its number."""
    highest, step = 0.0, 0
    if end_points:
        highest = max(boundary[first], boundary[last], highest)
        if highest >= enough:
            return highest, step
    length, slant, ahead, aside = line
    low, rest = first, 0
    for step in range(1, length):
        rest += slant
        over = rest >= length
        low += ahead + aside if over else ahead
        rest -= length if over else 0
        near = boundary[low]
        # Without a rest, the pixel aside is read, and does not count. It may be in the row after the image.
        highest = max(highest, near + rest / length * (boundary[low + aside] - near))
        if highest >= enough:
            return highest, step
    return highest, 0


@kernel
def sample(boundary: Floats, first: int, line: Line, step: int) -> float:
    """One sample of a line."""
    length, slant, ahead, aside = line
    whole, rest = step * slant // length, step * slant % length
    low = first + step * ahead + whole * aside
    return float(boundary[low] + rest / length * (boundary[low + aside] - boundary[low]))


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
def binary_jsd(p: float, q: float) -> float:
    total = (p * log(p) + q * log(q) + (1 - p) * log(1 - p) + (1 - q) * log(1 - q)) / 2
    middle = (p + q) / 2
    return max(total - middle * log(middle) - (1 - middle) * log(1 - middle), 0.0)


@kernel
def negative_entropies(c: Floats) -> Floats:
    found = np.zeros(len(c))
    for i in range(len(c)):
        for n in range(c.shape[1]):
            found[i] += plogp(c[i, n])
    return found


@kernel
def plogp(p: float) -> float:
    return p * float(np.log2(max(p, TINY)))
