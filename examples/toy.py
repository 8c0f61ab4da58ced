"""The pictures of the examples: a red or a green square on noise. The class of the background is 0."""

import torch
from torch import Tensor

NUM_CLASSES = 3


def squares(count: int, size: int = 64) -> tuple[Tensor, Tensor]:
    """Makes images [count, 3, size, size] and the class of each pixel [count, size, size]."""
    images, labels = torch.randn(count, 3, size, size), torch.zeros(count, size, size, dtype=torch.long)
    for image, label in zip(images, labels, strict=True):
        color, (side, top, left) = torch.randint(2, ()), torch.randint(size // 4, size // 2, (3,))
        image[color, top : top + side, left : left + side] += 3
        label[top : top + side, left : left + side] = color + 1
    return images, labels


def accuracy(scores: Tensor, labels: Tensor) -> str:
    """The share of pixels of the squares (or of images) whose highest score is that of their class, in percent."""
    if labels.dim() == 3:
        scores = torch.nn.functional.interpolate(scores, labels.shape[1:], mode='bilinear')
    right = (scores.argmax(1) == labels)[labels > 0] if labels.dim() == 3 else scores.argmax(1) == labels
    return f'{100 * right.float().mean():.0f} %'
