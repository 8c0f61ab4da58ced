"""Equation 2 of RANet (Shen et al., NeurIPS 2020): how far the class probabilities of two pixels differ.

``SIMILARITIES`` is the one table of such measures. The three backends of region construction read it
(``kernels_torch``, ``kernels_numba``, ``kernels_triton``). To add a measure, write its function and add an entry. It
then runs in ``kernels_torch``. To compile it, give the entry a new ``code``, and give the other two backends a branch
for this code.

Shapes: B batch, N classes, H x W the feature map, P = H * W its pixels in raster order, T the pixels of a tile.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from mmrev.errors import ConfigError

# The authors' code clamps the probabilities of its two-class divergence to these bounds.
BINARY_BOUNDS = (0.001, 0.99)
# Numba bakes the bounds and the codes into its cache on disk. It compiles again only when kernels_numba_*.py change.
JSD, BINARY_JSD = 1, 2


@dataclass(frozen=True)
class Similarity:
    """An entry of ``SIMILARITIES``: one measure E of how far two pixels differ.

    Args:
        divergence: Compares each pixel of [B, N, T] with each pixel of [B, N, P]. Returns [B, T, P]: 0 for equal
            pixels, and 1 at most.
        symmetric: Whether E_ij = E_ji.
        code: The number of the measure in the compiled kernels. None: it has no compiled kernel.
    """

    divergence: Callable[[Tensor, Tensor], Tensor]
    symmetric: bool
    code: int | None = None


def pairwise_similarity(probabilities: Tensor) -> Tensor:
    """Equation 2: E, the Jensen-Shannon divergence between the class probabilities of two pixels, in bits.

    The table has P x P numbers. Use it for small maps.

    Args:
        probabilities: Class probabilities. They sum to 1 over the classes.

    Shape:
        probabilities [B, N, H, W] -> E [B, P, P].

    Returns:
        E, symmetric. It is 0 for equal pixels and 1 for pixels without a common class.

    Reading: Equation 2 as printed is no divergence. The text names the Jensen-Shannon divergence and the range [0, 1].
    This range needs logarithms to base 2.

    Example:
        >>> two_pixels = torch.eye(2).view(1, 2, 1, 2)  # each is sure of another class
        >>> pairwise_similarity(two_pixels)
        tensor([[[0., 1.],
                 [1., 0.]]])
    """
    pixels = probabilities.flatten(2)
    return jsd(pixels, pixels)


def jsd(rows: Tensor, columns: Tensor) -> Tensor:
    """The Jensen-Shannon divergence in bits between each of [B, N, T] and each of [B, N, P]: [B, T, P]."""
    total = (_plogp(rows).sum(1)[:, :, None] + _plogp(columns).sum(1)[:, None]) / 2
    for p, q in zip(rows.unbind(1), columns.unbind(1), strict=True):  # a class at a time: no [B, N, T, P] table
        total = total - _plogp((p[:, :, None] + q[:, None]) / 2)
    return total.clamp(0, 1)


def binary_jsd(rows: Tensor, columns: Tensor) -> Tensor:
    """The divergence of the authors' code, in nats: [B, N, T] and [B, N, P] -> [B, T, P].

    It reduces the classes to two: the likeliest class of the row's pixel, and all others. It is not symmetric.
    """
    likeliest = rows.argmax(1, keepdim=True)
    p = rows.gather(1, likeliest).transpose(1, 2).clamp(*BINARY_BOUNDS)
    q = columns.gather(1, likeliest.transpose(1, 2).expand(-1, -1, columns.shape[2])).clamp(*BINARY_BOUNDS)
    return (_binary_term(p, q) + _binary_term(1 - p, 1 - q)).clamp_min(0)


def kernel_code(similarity: str, known: Collection[int], backend: str) -> int:
    """Returns the code of a similarity for compiled kernels.

    Raises:
        ConfigError: The backend has no kernel for it. Another kernel never takes its place.
    """
    code = SIMILARITIES[similarity].code
    if code is None or code not in known:
        raise ConfigError(f'similarity {similarity!r} has no {backend} kernel: add one, or use kernels_torch')
    return code


def _plogp(p: Tensor) -> Tensor:
    # The bound keeps the value and the gradient finite at 0.
    return p * p.clamp_min(torch.finfo(p.dtype).tiny).log2()


def _binary_term(p: Tensor, q: Tensor) -> Tensor:
    middle = (p + q) / 2
    return (p * p.log() + q * q.log()) / 2 - middle * middle.log()


SIMILARITIES = {
    'jsd': Similarity(jsd, symmetric=True, code=JSD),
    'binary_jsd': Similarity(binary_jsd, symmetric=False, code=BINARY_JSD),
}
