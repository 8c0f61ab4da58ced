"""Reverse attention of "Semantic Segmentation with Reverse Attention" (RAN, Huang et al., BMVC 2017)."""

from typing import Literal

from torch import Tensor

AttentionMode = Literal['simple', 'normalized']
ATTENTION_MODES = ('simple', 'normalized')


def reverse_attention(scores: Tensor, mode: AttentionMode = 'simple') -> Tensor:
    """Attention that is high where the score of a class is low.

    Args:
        scores: Class scores of the original branch, F_CONVorg in the paper. Any shape, [B, N, H, W] as a rule.
        mode: ``'simple'`` is equation 1, ``sigmoid(-scores)``, in (0, 1). ``'normalized'`` is equation 2,
            ``sigmoid(1 / (relu(scores) + 0.125) - 4)``, in [sigmoid(-4), sigmoid(4)]: flat at its top for every
            score below zero.

    Returns:
        The attention, of the shape of ``scores``.

    Raises:
        ValueError: ``mode`` is neither of the two.

    Reading: "normalized to be within [-4, 4]" describes the range of equation 2's own expression; the scores are not
    normalised by anything else.
    """
    if mode == 'simple':
        return (-scores).sigmoid()
    if mode == 'normalized':
        return (1 / (scores.relu() + 0.125) - 4).sigmoid()
    raise ValueError(f'unknown reverse attention mode {mode!r}: use one of {", ".join(map(repr, ATTENTION_MODES))}')
