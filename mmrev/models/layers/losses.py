"""The pixel-wise losses of the papers, averaged as mmsegmentation averages them.

Shapes: B batch, N classes, H x W the score maps, h x w the labels.
"""

from typing import Any

from torch import Tensor
from torch.nn import functional as F


def pixel_cross_entropy(
    scores: Tensor, labels: Tensor, ignore_index: int = 255, align_corners: bool = False, **options: Any
) -> Tensor:
    """The cross entropy of scores that are resized to the labels. Its mean is over all pixels, the ignored ones too.

    Args:
        scores: The scores of the classes.
        labels: The class of each pixel, int64.
        ignore_index: The label of ignored pixels. They count as 0.
        align_corners: How the scores are resized.
        options: Those of ``torch.nn.functional.cross_entropy``.

    Shape:
        scores [B, N, H, W], labels [B, h, w] -> a scalar.

    Example:
        >>> import torch
        >>> pixel_cross_entropy(torch.zeros(1, 2, 1, 1), torch.tensor([[[0, 255]]]))  # log 2, and 0
        tensor(0.3466)
    """
    resized = resize_to_labels(scores, labels, align_corners)
    # without a mean over the known pixels alone, an image of ignored pixels has a loss of 0
    return F.cross_entropy(resized, labels, ignore_index=ignore_index, reduction='none', **options).mean()


def pixel_binary_cross_entropy(
    scores: Tensor, labels: Tensor, ignore_index: int = 255, align_corners: bool = False
) -> Tensor:
    """The binary cross entropy of scores that are resized to the labels. Its mean is over all pixels.

    Args:
        scores: One score a pixel, before the sigmoid.
        labels: 0, 1, or the ignored label.
        ignore_index: The label of ignored pixels. They count as 0.
        align_corners: How the scores are resized.

    Shape:
        scores [B, 1, H, W], labels [B, h, w] -> a scalar.

    Example:
        >>> import torch
        >>> pixel_binary_cross_entropy(torch.zeros(1, 1, 1, 1), torch.tensor([[[1, 255]]]))
        tensor(0.3466)
    """
    known = labels != ignore_index
    resized = resize_to_labels(scores, labels, align_corners)[:, 0]
    losses = F.binary_cross_entropy_with_logits(resized, (labels * known).to(resized), reduction='none')
    return (losses * known).mean()


def resize_to_labels(scores: Tensor, labels: Tensor, align_corners: bool) -> Tensor:
    """Resizes scores [B, N, H, W] bilinearly to the size of labels [B, h, w].

    Example:
        >>> import torch
        >>> resize_to_labels(torch.zeros(1, 2, 4, 4), torch.zeros(1, 8, 6), align_corners=False).shape
        torch.Size([1, 2, 8, 6])
    """
    size = labels.shape[-2:]
    if scores.shape[2:] == size:
        return scores
    return F.interpolate(scores, size, mode='bilinear', align_corners=align_corners)
