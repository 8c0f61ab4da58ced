"""RANet's region construction on a GPU, compiled by Triton: the same as ``kernels_numba``, in blocks of pairs.

Shapes: B batch, N classes, P pixels of an image in raster order, I rows and J columns of a block of pairs.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from .equations import BINARY_BOUNDS, Similarity

ROWS, COLUMNS = 16, 64
LOWEST, HIGHEST = map(tl.constexpr, BINARY_BOUNDS)


def first_partners(boundary: Tensor, probabilities: Tensor, threshold: float, similarity: Similarity) -> Tensor:
    """Equation 4: of each pixel the first that it belongs together with, at last itself; [B, P]."""
    partners = torch.empty_like(boundary.flatten(1), dtype=torch.long)
    _launch(_first_partners, boundary, probabilities, similarity, partners, THRESHOLD=threshold)
    return partners


def sums_inside(boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: Similarity) -> Tensor:
    """The sum of F_ij over the region of i, itself included; [B, P]."""
    sums = torch.empty_like(boundary.flatten(1))
    _launch(_sums_inside, boundary, probabilities, similarity, labels.contiguous(), sums)
    return sums


def sums_inside_backward(
    boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: Similarity, grad: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients of ``sums_inside`` for boundary and probabilities."""
    found = torch.zeros_like(boundary.flatten(1)), torch.zeros_like(probabilities.flatten(2))
    _launch(_sums_inside_backward, boundary, probabilities, similarity, labels.contiguous(), grad.contiguous(), *found)
    return found[0].view_as(boundary), found[1].view_as(probabilities)


def _launch(
    kernel: triton.JITFunction,
    boundary: Tensor,
    probabilities: Tensor,
    similarity: Similarity,
    *tensors: Tensor,
    **constants: float,
) -> None:
    flat, c = boundary.detach().flatten(1).contiguous(), probabilities.detach().flatten(2).contiguous()
    binary, tiny = similarity == 'binary_jsd', torch.finfo(c.dtype).tiny
    # what a divergence needs to know of each pixel: the likeliest class, or the negative entropy
    extra = c.argmax(1).int() if binary else (c * c.clamp_min(tiny).log2()).sum(1)
    grid = triton.cdiv(flat.shape[1], ROWS), len(flat)
    with torch.cuda.device_of(flat):  # kernels start on the current device, wherever the tensors are
        kernel[grid](
            flat,
            c,
            extra,
            *tensors,
            flat.shape[1],
            boundary.shape[2],
            c.shape[1],
            BINARY=binary,
            TINY=tiny,
            ROWS=ROWS,
            COLUMNS=COLUMNS,
            **constants,
        )


@triton.jit
def _line_maximum(flat, i, j, pixels, width):
    """Equation 1 of pairs [I, J]: the highest sample, the two pixels beside it, the share of the second."""
    first, last = tl.minimum(i, j), tl.maximum(i, j)
    down = last // width - first // width
    right = last % width - first % width
    reach = tl.abs(right)
    steep = down >= reach
    length = tl.where(steep, down, reach)
    slant = tl.where(steep, right, down)
    ahead = tl.where(steep, width, tl.where(right > 0, 1, -1))
    aside = tl.where(steep, 1, width)
    best = tl.zeros(length.shape, flat.dtype.element_ty)
    share_best = best
    low_best, high_best = first, first
    low, rest = first, length * 0
    longest = tl.max(tl.max(tl.where(last < pixels, length, 0), axis=1), axis=0)
    for step in range(1, longest):
        rest += slant
        over, under = rest >= length, rest < 0
        rest += tl.where(under, length, 0) - tl.where(over, length, 0)
        low += ahead + tl.where(over, aside, 0) - tl.where(under, aside, 0)
        inside = (step < length) & (last < pixels)
        high = low + tl.where(rest > 0, aside, 0)
        near = tl.load(flat + low, mask=inside, other=0.0)
        far = tl.load(flat + high, mask=inside, other=0.0)
        share = rest.to(best.dtype) / tl.maximum(length, 1).to(best.dtype)
        value = near + share * (far - near)
        better = inside & (value > best)
        best = tl.where(better, value, best)
        share_best = tl.where(better, share, share_best)
        low_best = tl.where(better, low, low_best)
        high_best = tl.where(better, high, high_best)
    return best, low_best, high_best, share_best


@triton.jit
def _divergence(c, entropies, i, j, pixels, classes, TINY: tl.constexpr):
    """Equation 2 of pairs: i is [I, 1], j is [1, J]."""
    total = (
        tl.load(entropies + i, mask=i < pixels, other=0.0) + tl.load(entropies + j, mask=j < pixels, other=0.0)
    ) / 2
    for n in range(classes):
        p = tl.load(c + n * pixels + i, mask=i < pixels, other=0.0)
        q = tl.load(c + n * pixels + j, mask=j < pixels, other=0.0)
        middle = (p + q) / 2
        total -= middle * _log2(middle, TINY)
    return tl.minimum(tl.maximum(total, 0.0), 1.0)


@triton.jit
def _binary_divergence(c, likeliest, i, j, pixels):
    """The authors' code's, of i and j."""
    n = tl.load(likeliest + i, mask=i < pixels, other=0)
    p = _bounded(tl.load(c + n * pixels + i, mask=i < pixels, other=0.0))
    q = _bounded(tl.load(c + n * pixels + j, mask=(i < pixels) & (j < pixels), other=0.0))
    total = (p * tl.log(p) + q * tl.log(q) + (1 - p) * tl.log(1 - p) + (1 - q) * tl.log(1 - q)) / 2
    middle = (p + q) / 2
    return tl.maximum(total - middle * tl.log(middle) - (1 - middle) * tl.log(1 - middle), 0.0)


@triton.jit
def _bounded(p):
    # a bare number would be one of single precision
    return tl.minimum(tl.maximum(p, tl.full((), LOWEST, p.dtype)), tl.full((), HIGHEST, p.dtype))


@triton.jit
def _similarity(c, extra, i, j, pixels, classes, BINARY: tl.constexpr, TINY: tl.constexpr):
    """E_ij of pairs."""
    return _binary_divergence(c, extra, i, j, pixels) if BINARY else _divergence(c, extra, i, j, pixels, classes, TINY)


@triton.jit
def _first_partners(
    flat,
    c,
    extra,
    partners,
    pixels,
    width,
    classes,
    THRESHOLD: tl.constexpr,
    BINARY: tl.constexpr,
    TINY: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    image = tl.program_id(1)
    flat, extra, c = flat + image * pixels, extra + image * pixels, c + image * classes * pixels
    i = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None]
    found = i
    start = 0
    open_rows = 1
    while open_rows > 0:
        j = (start + tl.arange(0, COLUMNS))[None, :]
        clear = 1 - _line_maximum(flat, i, j, pixels, width)[0]
        maybe = (j < i) & (i < pixels) & (clear > THRESHOLD)
        if tl.max(tl.max(maybe.to(tl.int32), axis=1), axis=0) > 0:
            apart = _similarity(c, extra, i, j, pixels, classes, BINARY, TINY)
            if BINARY:
                apart = (apart + _similarity(c, extra, j, i, pixels, classes, BINARY, TINY)) / 2
            attention = clear * (1 - apart)
            partner = tl.min(tl.where(maybe & (attention > THRESHOLD), j, pixels), axis=1)[:, None]
            found = tl.minimum(found, partner)
        start += COLUMNS
        # a row is done when its partner, at last itself, is among the columns seen
        open_rows = tl.max(tl.max(((found >= start) & (i < pixels)).to(tl.int32), axis=1), axis=0)
    tl.store(partners + image * pixels + i, found.to(tl.int64), mask=i < pixels)


@triton.jit
def _sums_inside(
    flat,
    c,
    extra,
    labels,
    sums,
    pixels,
    width,
    classes,
    BINARY: tl.constexpr,
    TINY: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    image = tl.program_id(1)
    flat, extra, c = flat + image * pixels, extra + image * pixels, c + image * classes * pixels
    labels += image * pixels
    i = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None]
    own = tl.load(labels + i, mask=i < pixels, other=-1)
    total = tl.zeros((ROWS, 1), flat.dtype.element_ty) + 1
    for start in range(0, pixels, COLUMNS):
        j = (start + tl.arange(0, COLUMNS))[None, :]
        same = (own == tl.load(labels + j, mask=j < pixels, other=-2)) & (i != j)
        if tl.max(tl.max(same.to(tl.int32), axis=1), axis=0) > 0:
            clear = 1 - _line_maximum(flat, i, j, pixels, width)[0]
            attention = clear * (1 - _similarity(c, extra, i, j, pixels, classes, BINARY, TINY))
            total += tl.sum(tl.where(same, attention, 0.0), axis=1)[:, None]
    tl.store(sums + image * pixels + i, total, mask=i < pixels)


@triton.jit
def _sums_inside_backward(
    flat,
    c,
    extra,
    labels,
    grad,
    for_boundary,
    for_classes,
    pixels,
    width,
    classes,
    BINARY: tl.constexpr,
    TINY: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    image = tl.program_id(1)
    flat, extra, c = flat + image * pixels, extra + image * pixels, c + image * classes * pixels
    labels, grad, for_boundary = labels + image * pixels, grad + image * pixels, for_boundary + image * pixels
    for_classes += image * classes * pixels
    i = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None]
    own = tl.load(labels + i, mask=i < pixels, other=-1)
    up_own = tl.load(grad + i, mask=i < pixels, other=0.0)
    for start in range(0, pixels, COLUMNS):
        j = (start + tl.arange(0, COLUMNS))[None, :]
        same = (own == tl.load(labels + j, mask=j < pixels, other=-2)) & (i != j)
        if tl.max(tl.max(same.to(tl.int32), axis=1), axis=0) > 0:
            up = tl.load(grad + j, mask=j < pixels, other=0.0)
            highest, low, high, share = _line_maximum(flat, i, j, pixels, width)
            apart = _similarity(c, extra, i, j, pixels, classes, BINARY, TINY)
            back = apart
            if BINARY:
                back = _similarity(c, extra, j, i, pixels, classes, BINARY, TINY)
            once = same & (i < j) & (highest > 0)
            lost = up_own * (1 - apart) + up * (1 - back)
            tl.atomic_add(for_boundary + low, -lost * (1 - share), mask=once, sem='relaxed')
            tl.atomic_add(for_boundary + high, -lost * share, mask=once, sem='relaxed')
            clear = tl.where(same, (1 - highest) / 2, 0.0)
            for n in range(classes):
                p = tl.load(c + n * pixels + i, mask=i < pixels, other=0.0)
                q = tl.load(c + n * pixels + j, mask=j < pixels, other=0.0)
                if BINARY:
                    mine = tl.load(extra + i, mask=i < pixels, other=-1) == n
                    theirs = tl.load(extra + j, mask=j < pixels, other=-1) == n
                    weight = tl.where(mine, up_own, 0.0) + tl.where(theirs, up, 0.0)
                    inner = _bounded(p)
                    slopes = tl.where(inner == p, _logit(inner) - _logit((inner + _bounded(q)) / 2), 0.0)
                else:
                    weight = tl.where(apart > 0, up_own + up, 0.0)
                    slopes = _slope(p, TINY) - _slope((p + q) / 2, TINY)
                change = tl.sum(weight * clear * slopes, axis=1)[:, None]
                at = for_classes + n * pixels + i
                tl.store(at, tl.load(at, mask=i < pixels, other=0.0) - change, mask=i < pixels)


@triton.jit
def _logit(p):
    return tl.log(p) - tl.log(1 - p)


@triton.jit
def _slope(p, TINY: tl.constexpr):
    """The derivative of ``p log2 p``."""
    return _log2(p, TINY) + tl.where(p >= TINY, tl.full((), 1.4426950408889634, p.dtype), 0.0)


@triton.jit
def _log2(p, TINY: tl.constexpr):
    """Finite at 0."""
    return tl.log2(tl.maximum(p, tl.full((), TINY, p.dtype)))
