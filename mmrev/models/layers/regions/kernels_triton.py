"""Region construction over all pairs of pixels on a GPU, compiled by Triton, in blocks of pairs.

The same three functions as in ``kernels_torch``. No GPU has run them yet: tests run them in Triton's interpreter.

Shapes: B batch, N classes, P the pixels of an image in raster order, I rows and J columns in a block of pairs.
In the kernels, i is [I, 1] and j is [1, J]. ``c`` points to the class probabilities. ``extra`` points to the
precomputed numbers of each pixel: its negative entropy for JSD, its likeliest class for BINARY_JSD.
"""

# Triton takes the types of a kernel's arguments from each launch. Annotations would not be true.
# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators, allow-untyped-calls

import torch
import triton
import triton.language as tl
from torch import Tensor

from . import similarity as table

if not hasattr(tl, 'log2'):
    raise ImportError(f'the kernels need Triton 3, which torch 2.4 brought, and this is Triton {triton.__version__}')

KNOWN_CODES = (table.JSD, table.BINARY_JSD)
ROWS, COLUMNS = 16, 64  # I and J
JSD, BINARY_JSD = tl.constexpr(table.JSD), tl.constexpr(table.BINARY_JSD)
LOWEST, HIGHEST = tl.constexpr(table.BINARY_BOUNDS[0]), tl.constexpr(table.BINARY_BOUNDS[1])
TINY_SINGLE, TINY_DOUBLE = tl.constexpr(torch.finfo(torch.float32).tiny), tl.constexpr(torch.finfo(torch.float64).tiny)
LOG2_E = tl.constexpr(1.4426950408889634)


def first_partners(
    boundary: Tensor, probabilities: Tensor, threshold: float, similarity: str, end_points: bool
) -> Tensor:
    """Equation 4: for each pixel the first pixel in raster order with G_ij = 1, or itself; [B, P]."""
    partners = torch.empty_like(boundary.flatten(1), dtype=torch.long)
    _launch(_first_partners, boundary, probabilities, similarity, end_points, partners, THRESHOLD=threshold)
    return partners


def sums_inside(boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: str, end_points: bool) -> Tensor:
    """The sum of F_ij over the region of i, with F_ii = 1; [B, P]."""
    sums = torch.empty_like(boundary.flatten(1))
    _launch(_sums_inside, boundary, probabilities, similarity, end_points, labels.contiguous(), sums)
    return sums


def sums_inside_backward(
    boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: str, end_points: bool, grad: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradients of ``sums_inside`` for the boundary scores and the probabilities."""
    for_boundary, for_classes = torch.zeros_like(boundary.flatten(1)), torch.zeros_like(probabilities.flatten(2))
    tensors = labels.contiguous(), grad.contiguous(), for_boundary, for_classes
    _launch(_sums_inside_backward, boundary, probabilities, similarity, end_points, *tensors)
    return for_boundary.view_as(boundary), for_classes.view_as(probabilities)


def _launch(
    kernel: triton.JITFunction,
    boundary: Tensor,
    probabilities: Tensor,
    similarity: str,
    end_points: bool,
    *tensors: Tensor,
    **constants: float,
) -> None:
    code = table.kernel_code(similarity, KNOWN_CODES, 'Triton')
    flat, c = boundary.detach().flatten(1).contiguous(), probabilities.detach().flatten(2).contiguous()
    if code == table.BINARY_JSD:
        extra = c.argmax(1).int()
    else:
        extra = (c * c.clamp_min(torch.finfo(c.dtype).tiny).log2()).sum(1)
    numbers = flat.shape[1], boundary.shape[2], c.shape[1]
    grid = triton.cdiv(flat.shape[1], ROWS), len(flat)
    # A kernel starts on the current device. The tensors may be on another one.
    with torch.cuda.device_of(flat):
        kernel[grid](
            flat, c, extra, *tensors, *numbers, CODE=code, ENDS=end_points, ROWS=ROWS, COLUMNS=COLUMNS, **constants
        )


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
    CODE: tl.constexpr,
    ENDS: tl.constexpr,
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
        clear = 1 - _line_maximum(flat, i, j, pixels, width, ENDS)[0]
        maybe = (j < i) & (i < pixels) & (clear > THRESHOLD)
        if tl.max(tl.max(maybe.to(tl.int32), axis=1), axis=0) > 0:
            one, other = _divergences(c, extra, i, j, pixels, classes, CODE)
            attention = clear * (1 - (one + other) / 2)
            partner = tl.min(tl.where(maybe & (attention > THRESHOLD), j, pixels), axis=1)[:, None]
            found = tl.minimum(found, partner)
        start += COLUMNS
        # A row is done when the columns so far include its partner, which is the pixel itself at last.
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
    CODE: tl.constexpr,
    ENDS: tl.constexpr,
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
            clear = 1 - _line_maximum(flat, i, j, pixels, width, ENDS)[0]
            attention = clear * (1 - _divergences(c, extra, i, j, pixels, classes, CODE)[0])
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
    CODE: tl.constexpr,
    ENDS: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    image = tl.program_id(1)
    flat, extra, c = flat + image * pixels, extra + image * pixels, c + image * classes * pixels
    labels, grad, for_boundary = labels + image * pixels, grad + image * pixels, for_boundary + image * pixels
    for_classes += image * classes * pixels
    i = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None]
    own = tl.load(labels + i, mask=i < pixels, other=-1)
    up_i = tl.load(grad + i, mask=i < pixels, other=0.0)
    for start in range(0, pixels, COLUMNS):
        j = (start + tl.arange(0, COLUMNS))[None, :]
        same = (own == tl.load(labels + j, mask=j < pixels, other=-2)) & (i != j)
        if tl.max(tl.max(same.to(tl.int32), axis=1), axis=0) > 0:
            up_j = tl.load(grad + j, mask=j < pixels, other=0.0)
            highest, low, high, share = _line_maximum(flat, i, j, pixels, width, ENDS)
            one, other = _divergences(c, extra, i, j, pixels, classes, CODE)
            once = same & (i < j) & (highest > 0)
            lost = up_i * (1 - one) + up_j * (1 - other)
            tl.atomic_add(for_boundary + low, -lost * (1 - share), mask=once, sem='relaxed')
            tl.atomic_add(for_boundary + high, -lost * share, mask=once, sem='relaxed')
            clear = tl.where(same, (1 - highest) / 2, 0.0)
            for n in range(classes):
                slopes = _slopes(c, extra, i, j, n, up_i, up_j, one, pixels, CODE)
                change = tl.sum(clear * slopes, axis=1)[:, None]
                at = for_classes + n * pixels + i
                tl.store(at, tl.load(at, mask=i < pixels, other=0.0) - change, mask=i < pixels)


@triton.jit
def _line_maximum(flat, i, j, pixels, width, ENDS: tl.constexpr):
    """Equation 1 of pairs: the highest sample, the two pixels beside it, and the share of the second."""
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
        highest = tl.maximum(highest, tl.load(flat + first, mask=last < pixels, other=0.0))
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
        share = rest.to(highest.dtype) / tl.maximum(length, 1).to(highest.dtype)
        value = near + share * (far - near)
        better = inside & (value > highest)
        highest = tl.where(better, value, highest)
        share_best = tl.where(better, share, share_best)
        low_best = tl.where(better, low, low_best)
        high_best = tl.where(better, high, high_best)
    if ENDS:
        value = tl.load(flat + last, mask=last < pixels, other=0.0)
        better = value > highest
        highest = tl.where(better, value, highest)
        share_best = tl.where(better, 0.0, share_best)
        low_best = tl.where(better, last, low_best)
        high_best = tl.where(better, last, high_best)
    return highest, low_best, high_best, share_best


@triton.jit
def _divergences(c, extra, i, j, pixels, classes, CODE: tl.constexpr):
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
def _slopes(c, extra, i, j, n, up_i, up_j, one, pixels, CODE: tl.constexpr):
    """The derivative of ``2 * (up_i * E_ij + up_j * E_ji)`` by the probability of class n at pixel i."""
    tl.static_assert((CODE == JSD) | (CODE == BINARY_JSD), 'similarity without a Triton kernel')
    p = tl.load(c + n * pixels + i, mask=i < pixels, other=0.0)
    q = tl.load(c + n * pixels + j, mask=j < pixels, other=0.0)
    if CODE == JSD:
        up = tl.where(one > 0, up_i + up_j, 0.0)
        slopes = _plogp_slope(p) - _plogp_slope((p + q) / 2)
    if CODE == BINARY_JSD:
        likeliest_i = tl.load(extra + i, mask=i < pixels, other=-1) == n
        likeliest_j = tl.load(extra + j, mask=j < pixels, other=-1) == n
        up = tl.where(likeliest_i, up_i, 0.0) + tl.where(likeliest_j, up_j, 0.0)
        inner = _bounded(p)
        slopes = tl.where(inner == p, _logit(inner) - _logit((inner + _bounded(q)) / 2), 0.0)
    return up * slopes


@triton.jit
def _jsd(c, entropies, i, j, pixels, classes):
    """The Jensen-Shannon divergence in bits."""
    entropy_i = tl.load(entropies + i, mask=i < pixels, other=0.0)
    entropy_j = tl.load(entropies + j, mask=j < pixels, other=0.0)
    total = (entropy_i + entropy_j) / 2
    for n in range(classes):
        p = tl.load(c + n * pixels + i, mask=i < pixels, other=0.0)
        q = tl.load(c + n * pixels + j, mask=j < pixels, other=0.0)
        middle = (p + q) / 2
        total -= middle * _log2(middle)
    return tl.minimum(tl.maximum(total, 0.0), 1.0)


@triton.jit
def _binary_jsd(c, likeliest, i, j, pixels):
    """The divergence of the authors' code."""
    n = tl.load(likeliest + i, mask=i < pixels, other=0)
    p = _bounded(tl.load(c + n * pixels + i, mask=i < pixels, other=0.0))
    q = _bounded(tl.load(c + n * pixels + j, mask=(i < pixels) & (j < pixels), other=0.0))
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
