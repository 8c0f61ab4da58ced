"""Equations 1 to 4 of "Attention to Refine through Multi-Scales for Semantic Segmentation" (Yang and Peng, 2018).

Shapes: B batch, S scales, N classes, H x W the score maps.
"""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

Recalibration = Literal['multiply', 'add']
RECALIBRATIONS = ('multiply', 'add')


def location_attention(scores: Tensor) -> Tensor:
    """Equation 2: the softmax over the scales, [B, S, H, W] -> [B, S, H, W], positive and 1 in sum at each pixel."""
    return scores.softmax(dim=1)


def fuse_scales(
    scores: Sequence[Tensor], attention: Tensor, recalibration: Tensor | None = None, mode: Recalibration = 'multiply'
) -> Tensor:
    """Equations 1, 3 and 4: the sum over the scales of attention times recalibrated scores.

    ``final = sum_s l_s * (P_s * r)`` or, in mode ``'add'``, ``sum_s l_s * (P_s + r)``. All scales share the
    recalibration, so it is applied once, to their sum.

    Args:
        scores: P, one map [B, N, H, W] a scale.
        attention: l, [B, S, H, W], 1 in sum over S.
        recalibration: r, [B, N, H, W]: in (0, 1) in mode ``'multiply'``, any bias in mode ``'add'``. None leaves the
            scores as they are (equation 1).
        mode: How the recalibration is applied.

    Returns:
        The final scores [B, N, H, W].

    Raises:
        ValueError: ``mode`` is neither of the two, or there is not one map of attention a scale.

    Reading: the letters of equations 1 and 3 sum over s what they call the mask of scale s; equation 4 sums over s
    again. It is one sum.
    """
    if mode not in RECALIBRATIONS:
        raise ValueError(f'unknown recalibration {mode!r}: use one of {", ".join(map(repr, RECALIBRATIONS))}')
    if len(scores) != attention.shape[1]:
        raise ValueError(f'{len(scores)} score maps and {attention.shape[1]} maps of attention: expected one a scale')
    fused = sum(weight * score for weight, score in zip(attention.split(1, dim=1), scores, strict=True))
    if recalibration is None:
        return fused
    return fused * recalibration if mode == 'multiply' else fused + recalibration
