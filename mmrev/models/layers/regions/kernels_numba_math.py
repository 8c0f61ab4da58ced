"""The parts that all kernels on a CPU share: how they are compiled, the steps of a line, and a logarithm.

Numba's cache on disk does not notice a change in another file. After a change here, ``kernels_numba_partners``,
``kernels_numba_rows`` and ``kernels_numba_runs`` must be saved anew.
"""

import math
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

LANES = 8
LN2 = math.log(2)
TINY = sys.float_info.min
LOWEST_SLOPE = math.log2(TINY) - 1 / LN2  # the derivative of p log2 p below TINY, without 1 / log(2)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# A line's length, the steps aside in all, and what a step ahead and one aside add to an index.
Line = tuple[int, int, int, int]
F = TypeVar('F', bound=Callable[..., Any])


def kernel(function: F, fastmath: bool | set[str] = False) -> F:
    """Compiles a function that runs in threads. Keeps the result on disk where a folder can be written.

    Python's check for a division by zero is left out: it keeps loops from becoming vector instructions.
    """
    compile = partial(njit, nogil=True, error_model='numpy', fastmath=fastmath)
    try:
        return cast(F, compile(function, cache=True))
    except RuntimeError:
        return cast(F, compile(function))


def reordering(function: F) -> F:
    """``kernel`` for a sum whose numbers may be added in any order: that of vector instructions."""
    return kernel(function, fastmath={'reassoc'})


@kernel
def axes(width: int, down: int, right: int) -> Line:
    """The steps of a line that goes down and right by so many pixels. It never goes up.

    No step aside is negative: a line to the left goes ahead and left with each step, and aside to the right.
    """
    if down >= abs(right):
        length, slant, ahead, aside = down, right, width, 1
    else:
        length, slant, ahead, aside = abs(right), down, 1 if right > 0 else -1, width
    if slant < 0:
        ahead, slant = ahead - aside, slant + length
    return length, slant, ahead, aside


def _as_bits(context: Any, number: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.uint64))

    return types.uint64(types.float64), build


def _as_number(context: Any, bits: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], context.get_value_type(types.float64))

    return types.float64(types.uint64), build


_bits: Any = intrinsic(_as_bits)
_number: Any = intrinsic(_as_number)
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
def two_classes(p: float) -> float:
    """The negative entropy of a class and the rest, in nats."""
    return LN2 * (p * log2(p) + (1 - p) * log2(1 - p))


@kernel
def logit(p: float) -> float:
    return LN2 * (log2(p) - log2(1 - p))
