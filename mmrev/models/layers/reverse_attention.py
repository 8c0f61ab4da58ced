"""Reverse attention of "Semantic Segmentation with Reverse Attention" (RAN, Huang et al., BMVC 2017).

Shapes: B batch, N classes, H x W the score maps.
"""

from typing import Literal

from torch import Tensor

from mmrev.errors import require_choice

AttentionMode = Literal['simple', 'normalized']
ATTENTION_MODES = ('simple', 'normalized')


def reverse_attention(scores: Tensor, mode: AttentionMode = 'simple') -> Tensor:
    """Equations 1 and 2: attention that is high where the score of a class is low.

    Args:
        scores: The class scores of the original branch, F_CONVorg in the paper. Usually [B, N, H, W]; any shape works.
        mode: ``'simple'`` is equation 1, ``sigmoid(-scores)``, in (0, 1). ``'normalized'`` is equation 2,
            ``sigmoid(1 / (relu(scores) + 0.125) - 4)``, in [sigmoid(-4), sigmoid(4)]. It has the same value,
            sigmoid(4), for every score below zero.

    Returns:
        The attention, of the shape of ``scores``.

    Raises:
        ConfigError: ``mode`` is unknown.

    Reading: The paper says "normalized to be within [-4, 4]". This describes the range of equation 2's own expression.
    Nothing else normalises the scores.

    Example:
        >>> import torch
        >>> reverse_attention(torch.tensor([-2.0, 0.0, 2.0]))
        tensor([0.8808, 0.5000, 0.1192])
    """
    require_choice('mode of reverse attention', mode, ATTENTION_MODES)
    if mode == 'simple':
        return (-scores).sigmoid()
    return (1 / (scores.relu() + 0.125) - 4).sigmoid()
