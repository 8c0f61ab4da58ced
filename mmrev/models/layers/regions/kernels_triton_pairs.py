"""Equations 1 and 2 for blocks of pairs on a GPU, compiled by Triton: values and slopes.

Shapes: N classes, P the pixels of an image in raster order, I rows and J columns in a block of pairs. The pixels i are
[I, 1]. The pixels j are [1, J], or [I, J] where each row has others. ``c`` points to the class probabilities [N, P].
``extra`` points to the precomputed numbers of each pixel: its negative entropy for JSD, its likeliest class for
BINARY_JSD.
"""

# Triton takes the types of a kernel's arguments from each launch. Annotations would not be true.
# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators, allow-untyped-calls

import torch
import triton
import triton.language as tl

from . import similarity as table

JSD, BINARY_JSD = tl.constexpr(table.JSD), tl.constexpr(table.BINARY_JSD)
LOWEST, HIGHEST = tl.constexpr(table.BINARY_BOUNDS[0]), tl.constexpr(table.BINARY_BOUNDS[1])
TINY_SINGLE, TINY_DOUBLE = tl.constexpr(torch.finfo(torch.float32).tiny), tl.constexpr(torch.finfo(torch.float64).tiny)
LOG2_E = tl.constexpr(1.4426950408889634)


@triton.jit
def line_maximum(flat, i, j, wanted, width, ENDS: tl.constexpr):
    """Equation 1 of the wanted pairs: the highest sample, the two pixels beside it, and the share of the second."""
    first, last = tl.minimum(i, j), tl.maximum(i, j)
    down = last // width - first // width
    right = last % width - first % width
    reach = tl.abs(right)
    steep = down >= reach
    length = tl.where(steep, down, reach)
    slant = tl.where(steep, right, down)
    ahead = tl.where(steep, width, tl.where(right > 0, 1, -1))
    aside = tl.where(steep, 1, width)
    highest = tl.zeros(length.shape, flat.dtype.element_ty)
    share_best = highest
    low_best, high_best = first, first
    low, rest = first, length * 0
    if ENDS:
        highest = tl.maximum(highest, tl.load(flat + first, mask=wanted, other=0.0))
    for step in range(1, largest(tl.where(wanted, length, 0))):
        rest += slant
        over, under = rest >= length, rest < 0
        rest += tl.where(under, length, 0) - tl.where(over, length, 0)
        low += ahead + tl.where(over, aside, 0) - tl.where(under, aside, 0)
        inside = (step < length) & wanted
        high = low + tl.where(rest > 0, aside, 0)
        near = tl.load(flat + low, mask=inside, other=0.0)
        far = tl.load(flat + high, mask=inside, other=0.0)
        share = rest.to(highest.dtype) / tl.maximum(length, 1).to(highest.dtype)
        value = near + share * (far - near)
        better = inside & (value > highest)
        highest = tl.where(better, value, highest)
        share_best = tl.where(better, share, share_best)
        low_best = tl.where(better, low, low_best)
        high_best = tl.where(better, high, high_best)
    if ENDS:
        value = tl.load(flat + last, mask=wanted, other=0.0)
        better = value > highest
        highest = tl.where(better, value, highest)
        share_best = tl.where(better, 0.0, share_best)
        low_best = tl.where(better, last, low_best)
        high_best = tl.where(better, last, high_best)
    return highest, low_best, high_best, share_best


@triton.jit
def divergences(c, extra, i, j, pixels, classes, CODE: tl.constexpr):
    """Equation 2 of pairs, E_ij and E_ji, by the code of the similarity."""
    tl.static_assert((CODE == JSD) | (CODE == BINARY_JSD), 'similarity without a Triton kernel')
    if CODE == JSD:
        one = _jsd(c, extra, i, j, pixels, classes)
        other = one
    if CODE == BINARY_JSD:
        one = _binary_jsd(c, extra, i, j, pixels)
        other = _binary_jsd(c, extra, j, i, pixels)
    return one, other


@triton.jit
def slopes(c, extra, i, j, n, up_i, up_j, one, pixels, CODE: tl.constexpr):
    """The derivatives of ``2 * (up_i * E_ij + up_j * E_ji)`` by the probabilities of class n at i and at j."""
    tl.static_assert((CODE == JSD) | (CODE == BINARY_JSD), 'similarity without a Triton kernel')
    p, q = tl.load(c + n * pixels + i), tl.load(c + n * pixels + j)
    if CODE == JSD:
        up = tl.where(one > 0, up_i + up_j, 0.0)
        middle = _plogp_slope((p + q) / 2)
        at_i, at_j = _plogp_slope(p) - middle, _plogp_slope(q) - middle
    if CODE == BINARY_JSD:
        up = tl.where(tl.load(extra + i) == n, up_i, 0.0) + tl.where(tl.load(extra + j) == n, up_j, 0.0)
        inner_p, inner_q = _bounded(p), _bounded(q)
        middle = _logit((inner_p + inner_q) / 2)
        at_i = tl.where(inner_p == p, _logit(inner_p) - middle, 0.0)
        at_j = tl.where(inner_q == q, _logit(inner_q) - middle, 0.0)
    return up * at_i, up * at_j


@triton.jit
def largest(numbers):
    """The largest number of a block."""
    return tl.max(tl.max(numbers, axis=1), axis=0)


@triton.jit
def _jsd(c, entropies, i, j, pixels, classes):
    """The Jensen-Shannon divergence in bits."""
    total = (tl.load(entropies + i) + tl.load(entropies + j)) / 2
    for n in range(classes):
        middle = (tl.load(c + n * pixels + i) + tl.load(c + n * pixels + j)) / 2
        total -= middle * _log2(middle)
    return tl.minimum(tl.maximum(total, 0.0), 1.0)


@triton.jit
def _binary_jsd(c, likeliest, i, j, pixels):
    """The divergence of the authors' code."""
    n = tl.load(likeliest + i)
    p, q = _bounded(tl.load(c + n * pixels + i)), _bounded(tl.load(c + n * pixels + j))
    total = (p * tl.log(p) + q * tl.log(q) + (1 - p) * tl.log(1 - p) + (1 - q) * tl.log(1 - q)) / 2
    middle = (p + q) / 2
    return tl.maximum(total - middle * tl.log(middle) - (1 - middle) * tl.log(1 - middle), 0.0)


@triton.jit
def _bounded(p):
    # A bare number would have single precision.
    return tl.minimum(tl.maximum(p, tl.full((), LOWEST, p.dtype)), tl.full((), HIGHEST, p.dtype))


@triton.jit
def _logit(p):
    return tl.log(p) - tl.log(1 - p)


@triton.jit
def _plogp_slope(p):
    """The derivative of ``p log2 p``."""
    return _log2(p) + tl.where(p >= _tiny(p), tl.full((), LOG2_E, p.dtype), 0.0)


@triton.jit
def _log2(p):
    """Finite at 0."""
    return tl.log2(tl.maximum(p, _tiny(p)))


@triton.jit
def _tiny(p):
    """The smallest normal number of the type of p."""
    return tl.full((), TINY_DOUBLE if p.dtype == tl.float64 else TINY_SINGLE, p.dtype)
