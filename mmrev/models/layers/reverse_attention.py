"""Reverse attention of "Semantic Segmentation with Reverse Attention" (RAN, Huang et al., BMVC 2017).

Shapes: B batch, C channels, N classes, H x W the feature map and the score maps, h x w the labels.
"""

from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from mmrev.arguments import Count, checked
from mmrev.errors import require_choice

from .classifiers import dilated_classifier, start_small
from .losses import pixel_cross_entropy

AttentionMode = Literal['simple', 'normalized']
ATTENTION_MODES = ('simple', 'normalized')
Mode = Literal['simple', 'normalized', 'dual']


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


class BranchScores(NamedTuple):
    """The scores that enter the softmax of each of the three branches, [B, N, H, W] each.

    Example:
        >>> BranchScores(*torch.eye(3)).reverse
        tensor([-0., -0., -1.])
    """

    combined: Tensor
    original: Tensor
    negated_reverse: Tensor

    @property
    def reverse(self) -> Tensor:
        """The response of CONVrev before the NEG block: high where a pixel is *not* of the class."""
        return -self.negated_reverse


def branch_attention(original: Tensor, mode: Mode) -> Tensor:
    """Returns the weight of the reverse response, of the shape of ``original``.

    Example:
        >>> branch_attention(torch.tensor([-2.0, 2.0]), 'dual')
        tensor([1., 1.])
    """
    return torch.ones_like(original) if mode == 'dual' else reverse_attention(original, mode)


def combine(original: Tensor, reverse: Tensor, attention: Tensor) -> BranchScores:
    """Returns the scores of the three branches, from the responses of CONVorg and CONVrev (figure 3).

    Example:
        >>> combine(torch.tensor([3.0]), torch.tensor([1.0]), attention=torch.tensor([0.5])).combined
        tensor([2.5000])
    """
    return BranchScores(original - attention * reverse, original, -reverse)


@checked
class ReverseAttention(nn.Module):
    """The head of RAN in plain torch: CONVorg, CONVrev and their combination (figure 3).

    ``original = CONVorg(x)`` and ``reverse = CONVrev(x)`` are one 3x3 convolution each. Then
    ``combined = original - attention(original) * reverse``. The attention is not detached. The weights have the names
    and shapes of those of ``mmrev.ReverseAttentionHead``.

    Args:
        in_channels: C.
        num_classes: N.
        mode: ``'simple'`` (RAN-s, equation 1), ``'normalized'`` (RAN-n, equation 2) or ``'dual'`` (no attention).
        dilation: The dilation of both convolutions. 12 is LargeFOV, 1 is the plain 3x3 classifier.

    Shape:
        features [B, C, H, W] -> combined scores [B, N, H, W].

    Raises:
        ConfigError: An argument is wrong.

    Example:
        >>> head = ReverseAttention(8, num_classes=5, mode='normalized')
        >>> features, labels = torch.randn(2, 8, 16, 16), torch.randint(5, (2, 64, 64))
        >>> losses = reverse_attention_losses(head.branches(features), labels)
        >>> sum(losses.values()).backward()
        >>> head(features).shape
        torch.Size([2, 5, 16, 16])
    """

    def __init__(self, in_channels: Count, num_classes: Count, mode: Mode = 'simple', dilation: Count = 12) -> None:
        super().__init__()
        self.mode: Mode = mode
        self.conv_org = dilated_classifier(in_channels, num_classes, dilation)
        self.conv_rev = dilated_classifier(in_channels, num_classes, dilation)
        start_small(self.conv_org)
        start_small(self.conv_rev)

    def attention(self, original: Tensor) -> Tensor:
        """Returns the weight of the reverse response, of the shape of ``original``. It is 1 in mode ``'dual'``.

        A subclass can return another one.
        """
        return branch_attention(original, self.mode)

    def branches(self, features: Tensor) -> BranchScores:
        """Returns the scores of all three branches, for the losses and for pictures."""
        original = self.conv_org(features)
        return combine(original, self.conv_rev(features), self.attention(original))

    def forward(self, features: Tensor) -> Tensor:
        return self.branches(features).combined


def reverse_attention_losses(
    scores: BranchScores, labels: Tensor, ignore_index: int = 255, align_corners: bool = False, **options: Any
) -> dict[str, Tensor]:
    """The three cross entropies of RAN, with the same labels. Their sum is the loss.

    The scores are resized to the labels. Each loss is the mean over all pixels, and an ignored pixel counts as 0, as in
    mmseg.

    Args:
        scores: The scores of the branches.
        labels: The class of each pixel, int64.
        ignore_index: The label of ignored pixels.
        align_corners: How the scores are resized.
        options: Those of ``torch.nn.functional.cross_entropy``, such as ``weight`` and ``label_smoothing``.

    Shape:
        scores [B, N, H, W] of each branch, labels [B, h, w] -> a scalar for each branch.

    Returns:
        The losses ``combined``, ``original`` and ``reverse``.

    Example:
        >>> losses = reverse_attention_losses(BranchScores(*torch.zeros(3, 1, 2, 4, 4)), torch.zeros(1, 8, 8).long())
        >>> {name: round(loss.item(), 2) for name, loss in losses.items()}
        {'combined': 0.69, 'original': 0.69, 'reverse': 0.69}
    """
    return {
        name: pixel_cross_entropy(branch, labels, ignore_index, align_corners, **options)
        for name, branch in zip(('combined', 'original', 'reverse'), scores, strict=True)
    }
