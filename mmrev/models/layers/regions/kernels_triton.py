"""Region construction over all pairs of pixels on a GPU, compiled by Triton, in blocks of pairs.

The same three functions as in ``kernels_torch``. No GPU has run them yet: tests run them in Triton's interpreter.

*The search* takes the pixels in the order of their likeliest classes. Most blocks then pair two classes, and a bound on
the divergence drops all their pairs. A row looks for a partner only before the one that it has. A block without such
pairs is left out.

*The sums* take the pixels in the order of their regions. Each two pixels of a region meet once, and their block adds to
the sums of both. It adds whole numbers, so the order of the blocks does not change a bit.

Shapes: B batch, N classes, P the pixels of an image in raster order, I rows and J columns in a block of pairs.
``kernels_triton_pairs`` has the arguments of the kernels. A place is a pixel's position in an order.
"""

# Triton takes the types of a kernel's arguments from each launch. Annotations would not be true.
# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators, allow-untyped-calls

from math import log

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.nn import functional as F

from . import similarity as table
from .construction import sizes
from .kernels_triton_pairs import JSD, divergences, largest, line_maximum, slopes

if not hasattr(tl, 'log2'):
    raise ImportError(f'the kernels need Triton 3, which torch 2.4 brought, and this is Triton {triton.__version__}')

KNOWN_CODES = (table.JSD, table.BINARY_JSD)
ROWS, COLUMNS = 16, 64  # I and J
SPAN = 8  # the blocks of one program in the sums
# Rounding in single precision moves a bound by less than this, so no pair is dropped by mistake.
MARGIN = 1e-5
PINSKER = tl.constexpr(1 / (2 * log(2)))
# The bits of a sum in whole numbers. The rest of 64 is room for rounding.
BITS = 61
# No slope of a divergence is steeper: log2 of the smallest normal number is -1022.
STEEPEST = tl.constexpr(1024.0)


def first_partners(
    boundary: Tensor, probabilities: Tensor, threshold: float, similarity: str, end_points: bool
) -> Tensor:
    """Equation 4: for each pixel the first pixel in raster order with G_ij = 1, or itself; [B, P]."""
    room = 1 - threshold + MARGIN
    # All lines from a pixel to pixels that are not beside it pass between two of its neighbours.
    walled = (-F.max_pool2d(-boundary.detach()[:, None], 3, 1, 1)).flatten(1) > room
    likeliest = probabilities.detach().flatten(2).argmax(1)
    order = (likeliest + walled * probabilities.shape[1]).argsort(dim=1, stable=True).int()
    partners = torch.empty_like(likeliest)
    tensors = order, (~walled).sum(1).int(), likeliest.int(), partners
    limits = dict(THRESHOLD=threshold, ROOM=room)
    _launch(_first_partners, 1, boundary, probabilities, similarity, end_points, *tensors, **limits)
    return partners


def sums_inside(boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: str, end_points: bool) -> Tensor:
    """The sum of F_ij over the region of i, with F_ii = 1; [B, P]."""
    unit = _unit(boundary.new_full(labels.shape[:1], labels.shape[1]))
    counts = torch.zeros_like(labels)
    tensors = *_by_region(labels), unit, counts
    _launch(_sums_inside, _spans(labels), boundary, probabilities, similarity, end_points, *tensors, SPAN=SPAN)
    return 1 + counts / unit[:, None]


def sums_inside_backward(
    boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: str, end_points: bool, grad: Tensor
) -> tuple[Tensor, Tensor]:
    """The gradients of ``sums_inside`` for the boundary scores and the probabilities."""
    unit = _unit((grad.abs() * sizes(labels)).sum(1))
    for_boundary, for_classes = torch.zeros_like(labels), labels.new_zeros(probabilities.flatten(2).shape)
    tensors = *_by_region(labels), unit, grad.contiguous(), for_boundary, for_classes
    _launch(_sums_inside_backward, _spans(labels), boundary, probabilities, similarity, end_points, *tensors, SPAN=SPAN)
    for_classes = for_classes / (unit / STEEPEST.value)[:, None, None]
    return (for_boundary / unit[:, None]).view_as(boundary), for_classes.view_as(probabilities)


def _unit(bound: Tensor) -> Tensor:
    """The whole number that stands for 1 in sums up to a bound, one for each image. A power of 2 rounds nothing.

    A bound that is not finite gives NaN, and with it the sums.
    """
    return (BITS - bound.log2()).floor().clamp_max(BITS * 2).exp2() + bound * 0


def _spans(labels: Tensor) -> int:
    return int(triton.cdiv(labels.shape[1], COLUMNS * SPAN))


def _by_region(labels: Tensor) -> tuple[Tensor, Tensor]:
    """The pixels sorted by region and then by index, and for each place in this order the end of its region."""
    grouped, order = labels.sort(dim=1, stable=True)
    return order.int(), torch.searchsorted(grouped, grouped, right=True).int()


def _launch(
    kernel: triton.JITFunction,
    spans: int,
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
    blocks = dict(ROWS=ROWS, COLUMNS=COLUMNS)
    grid = triton.cdiv(flat.shape[1], ROWS), spans, len(flat)
    # A kernel starts on the current device. The tensors may be on another one.
    with torch.cuda.device_of(flat):
        kernel[grid](flat, c, extra, *tensors, *numbers, CODE=code, ENDS=end_points, **blocks, **constants)


@triton.jit
def _first_partners(
    flat,
    c,
    extra,
    order,
    free,
    likeliest,
    partners,
    pixels,
    width,
    classes,
    THRESHOLD: tl.constexpr,
    ROOM: tl.constexpr,
    CODE: tl.constexpr,
    ENDS: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    image = tl.program_id(2)
    flat, c, extra = flat + image * pixels, c + image * classes * pixels, extra + image * pixels
    order, likeliest, partners = order + image * pixels, likeliest + image * pixels, partners + image * pixels
    place = (tl.program_id(0) * ROWS + tl.arange(0, ROWS))[:, None]
    i = tl.load(order + place, mask=place < pixels, other=0)
    # The neighbours before a pixel: the one beside it, and three in the line above.
    which = tl.arange(0, 4)[None, :]
    near = i - tl.where(which == 0, 1, width - 2 + which)
    beside = (near >= 0) & (near < i) & (tl.abs(i % width - near % width) < 2)
    found = _earlier(i, flat, c, extra, likeliest, i, near, beside, pixels, width, classes, THRESHOLD, ROOM, CODE, ENDS)
    # Pixels behind walls come last in the order. They have no other partners.
    stop = tl.load(free + image)
    for start in range(0, stop, COLUMNS):
        there = (start + tl.arange(0, COLUMNS))[None, :]
        j = tl.load(order + there, mask=there < stop, other=pixels)
        wanted = (j < found) & (place < stop)
        found = _earlier(
            found, flat, c, extra, likeliest, i, j, wanted, pixels, width, classes, THRESHOLD, ROOM, CODE, ENDS
        )
    tl.store(partners + i, found.to(tl.int64), mask=place < pixels)


@triton.jit
def _earlier(
    found,
    flat,
    c,
    extra,
    likeliest,
    i,
    j,
    wanted,
    pixels,
    width,
    classes,
    THRESHOLD: tl.constexpr,
    ROOM: tl.constexpr,
    CODE: tl.constexpr,
    ENDS: tl.constexpr,
):
    """The first partner of each row among those found before and the wanted pairs."""
    if CODE == JSD:
        # Pinsker's inequality for two classes, the likeliest and the rest. Merging classes lowers the divergence.
        best = c + tl.load(likeliest + i) * pixels
        apart = tl.load(best + i) - tl.load(best + j, mask=wanted, other=0.0)
        wanted = wanted & (apart * apart * PINSKER < ROOM)
    if largest(wanted.to(tl.int32)) > 0:
        at = tl.minimum(tl.maximum(j, 0), pixels - 1)
        clear = 1 - line_maximum(flat, i, at, wanted, width, ENDS)[0]
        wanted = wanted & (clear > THRESHOLD)
        if largest(wanted.to(tl.int32)) > 0:
            one, other = divergences(c, extra, i, at, pixels, classes, CODE)
            together = wanted & (clear * (1 - (one + other) / 2) > THRESHOLD)
            found = tl.minimum(found, tl.min(tl.where(together, j, pixels), axis=1)[:, None])
    return found


@triton.jit
def _sums_inside(
    flat,
    c,
    extra,
    order,
    ends,
    unit,
    counts,
    pixels,
    width,
    classes,
    SPAN: tl.constexpr,
    CODE: tl.constexpr,
    ENDS: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    image = tl.program_id(2)
    flat, c, extra = flat + image * pixels, c + image * classes * pixels, extra + image * pixels
    order, ends, counts = order + image * pixels, ends + image * pixels, counts + image * pixels
    unit = tl.load(unit + image)
    place, end, start, stop = _span(ends, pixels, SPAN, ROWS, COLUMNS)
    i = tl.load(order + place, mask=place < pixels, other=0)
    for begin in range(start, stop, COLUMNS):
        there = (begin + tl.arange(0, COLUMNS))[None, :]
        j = tl.load(order + there, mask=there < pixels, other=0)
        pair = (there > place) & (there < end)
        clear = 1 - line_maximum(flat, i, j, pair, width, ENDS)[0]
        one, other = divergences(c, extra, i, j, pixels, classes, CODE)
        for_i, for_j = tl.where(pair, clear * (1 - one), 0.0), tl.where(pair, clear * (1 - other), 0.0)
        _add(counts + i, tl.sum(for_i, axis=1)[:, None], unit, place < pixels)
        _add(counts + j, tl.sum(for_j, axis=0)[None, :], unit, there < pixels)


@triton.jit
def _sums_inside_backward(
    flat,
    c,
    extra,
    order,
    ends,
    unit,
    grad,
    for_boundary,
    for_classes,
    pixels,
    width,
    classes,
    SPAN: tl.constexpr,
    CODE: tl.constexpr,
    ENDS: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    image = tl.program_id(2)
    flat, c, extra = flat + image * pixels, c + image * classes * pixels, extra + image * pixels
    order, ends, grad = order + image * pixels, ends + image * pixels, grad + image * pixels
    for_boundary, for_classes = for_boundary + image * pixels, for_classes + image * classes * pixels
    unit = tl.load(unit + image)
    place, end, start, stop = _span(ends, pixels, SPAN, ROWS, COLUMNS)
    i = tl.load(order + place, mask=place < pixels, other=0)
    up_i = tl.load(grad + i)
    for begin in range(start, stop, COLUMNS):
        there = (begin + tl.arange(0, COLUMNS))[None, :]
        j = tl.load(order + there, mask=there < pixels, other=0)
        up_j = tl.load(grad + j)
        pair = (there > place) & (there < end)
        highest, low, high, share = line_maximum(flat, i, j, pair, width, ENDS)
        one, other = divergences(c, extra, i, j, pixels, classes, CODE)
        lost = up_i * (1 - one) + up_j * (1 - other)
        crossed = pair & (highest > 0)
        _add(for_boundary + low, -lost * (1 - share), unit, crossed)
        _add(for_boundary + high, -lost * share, unit, crossed & (share > 0))
        half = tl.where(pair, (1 - highest) / 2, 0.0)
        for n in range(classes):
            at_i, at_j = slopes(c, extra, i, j, n, up_i, up_j, one, pixels, CODE)
            own = for_classes + n * pixels
            _add(own + i, -tl.sum(half * at_i, axis=1)[:, None], unit / STEEPEST, place < pixels)
            _add(own + j, -tl.sum(half * at_j, axis=0)[None, :], unit / STEEPEST, there < pixels)


@triton.jit
def _span(ends, pixels, SPAN: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    """A program's rows and columns: the places of the rows, the ends of their regions, the limits of the columns."""
    first = tl.program_id(0) * ROWS
    place = (first + tl.arange(0, ROWS))[:, None]
    end = tl.load(ends + place, mask=place < pixels, other=0)
    # The last pixel of a region meets no pixel after it.
    stop = largest(tl.where(end > place + 1, end, 0))
    start = first + tl.program_id(1) * SPAN * COLUMNS
    return place, end, start, tl.minimum(stop, start + SPAN * COLUMNS)


@triton.jit
def _add(at, values, unit, mask):
    """Adds whole numbers. Their sum does not depend on which program comes first."""
    tl.atomic_add(at, (values * unit).to(tl.int64), mask=mask, sem='relaxed')
