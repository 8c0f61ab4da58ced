"""Equations 1 to 4 of "Attention to Refine through Multi-Scales for Semantic Segmentation" (Yang and Peng, 2018).

Shapes: B batch, S scales, N classes, H x W the score maps.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from mmrev.errors import require_choice

Recalibration = Literal['multiply', 'add']
RECALIBRATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {'multiply': torch.mul, 'add': torch.add}


def location_attention(scores: Tensor) -> Tensor:
    """Equation 2: the softmax over the scales. It is positive, and its sum is 1 at each pixel.

    Shape:
        scores [B, S, H, W] -> attention [B, S, H, W].

    Example:
        >>> location_attention(torch.zeros(1, 2, 1, 1)).flatten()
        tensor([0.5000, 0.5000])
    """
    return scores.softmax(dim=1)


def fuse_scales(
    scores: Sequence[Tensor], attention: Tensor, recalibration: Tensor | None = None, mode: Recalibration = 'multiply'
) -> Tensor:
    """Equations 1, 3 and 4: the sum over the scales of attention times recalibrated scores.

    ``final = sum_s l_s * (P_s * r)``, or ``sum_s l_s * (P_s + r)`` in mode ``'add'``. All scales share the
    recalibration, so it is applied once, to their sum.

    Args:
        scores: P, one map [B, N, H, W] for each scale.
        attention: l, [B, S, H, W], with sum 1 over S.
        recalibration: r, [B, N, H, W]: in (0, 1) in mode ``'multiply'``, any bias in mode ``'add'``. None leaves the
            scores as they are (equation 1).
        mode: How the recalibration is applied.

    Returns:
        The final scores [B, N, H, W].

    Raises:
        ConfigError: ``mode`` is unknown.
        ValueError: The numbers of score maps and of attention maps differ.

    Reading: The letters of equations 1 and 3 already sum over s what they call the mask of scale s. Equation 4 sums
    over s again. We read it as one sum.

    Example:
        >>> scores = [torch.full((1, 1, 1, 1), 2.0), torch.full((1, 1, 1, 1), 4.0)]
        >>> fuse_scales(scores, torch.full((1, 2, 1, 1), 0.5), recalibration=torch.full((1, 1, 1, 1), 0.1)).item()
        0.30000001192092896
    """
    require_choice('recalibration', mode, RECALIBRATIONS)
    if len(scores) != attention.shape[1]:
        raise ValueError(f'{len(scores)} score maps and {attention.shape[1]} maps of attention: expected one a scale')
    fused = attention[:, :1] * scores[0]
    for index in range(1, len(scores)):
        fused = fused + attention[:, index : index + 1] * scores[index]
    return fused if recalibration is None else RECALIBRATIONS[mode](fused, recalibration)
