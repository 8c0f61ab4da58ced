"""RANet's region construction on a CPU, pair by pair, compiled by Numba: what else is computed in tiles.

Shapes: B batch, N classes, P pixels of an image in raster order. In double precision. Of each pair the pixel of the
lower index comes first. A pair of the threshold's pass is left at the first sign that it fails.
"""
from collections.abc import Iterator
from math import log

import numba
import numpy as np
import torch
from numba import njit, prange
from torch import Tensor

LN2 = log(2)
TINY = 1e-300
# more than rounding can make of a bound that is compared with the threshold
MARGIN = 1e-6
NONE = 2.  # no boundary score is as high


def first_partners(boundary: Tensor, probabilities: Tensor, threshold: float) -> Tensor:
    """Equation 4: of each pixel the first that it belongs together with, at last itself; [B, P]."""
    return torch.stack([torch.from_numpy(_first_partners(*image, threshold, threads()))
                        for image in _as_arrays(boundary, probabilities)])


def sums_inside(boundary: Tensor, probabilities: Tensor, labels: Tensor) -> Tensor:
    """The sum of F_ij over the region of i, itself included; [B, P]."""
    sums = [_sums_inside(*image, *_grouped(own), threads())
            for image, own in zip(_as_arrays(boundary, probabilities), labels, strict=True)]
    return torch.from_numpy(np.stack(sums)).to(boundary)


def sums_inside_backward(boundary: Tensor, probabilities: Tensor, labels: Tensor,
                         grad: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of ``sums_inside`` for boundary and probabilities."""
    found = [_sums_inside_backward(*image, *_grouped(own), up, threads()) for image, own, up in zip(
        _as_arrays(boundary, probabilities), labels, grad.double().numpy(), strict=True)]
    for_boundary, for_classes = (torch.from_numpy(np.stack(part)) for part in zip(*found, strict=True))
    return (for_boundary.view_as(boundary).to(boundary),
            for_classes.transpose(1, 2).reshape(probabilities.shape).to(probabilities))


def threads() -> int:
    """As many as torch has: Numba would start all, and wait for them where the machine has other work."""
    count = min(torch.get_num_threads(), numba.config.NUMBA_NUM_THREADS)
    numba.set_num_threads(count)
    return count


def _as_arrays(boundary: Tensor, probabilities: Tensor) -> Iterator[tuple[np.ndarray, int, np.ndarray]]:
    """Of each image the boundary scores [P], the width and the probabilities [P, N]."""
    for scores, classes in zip(boundary.detach().double(), probabilities.detach().double(), strict=True):
        yield scores.flatten().numpy(), scores.shape[1], np.ascontiguousarray(classes.flatten(1).T.numpy())


def _grouped(labels: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Pixels sorted by region, then index; and where in that order the region of each ends."""
    order = labels.argsort(stable=True)
    grouped = labels[order]
    return order.numpy(), torch.searchsorted(grouped, grouped, right=True).numpy()


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
def _first_partners(flat: np.ndarray, width: int, c: np.ndarray, threshold: float, threads: int) -> np.ndarray:
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
def _sums_inside(flat: np.ndarray, width: int, c: np.ndarray, order: np.ndarray, ends: np.ndarray,
                 threads: int) -> np.ndarray:
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
def _sums_inside_backward(flat: np.ndarray, width: int, c: np.ndarray, order: np.ndarray, ends: np.ndarray,
                          grad: np.ndarray, threads: int) -> tuple[np.ndarray, np.ndarray]:
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
