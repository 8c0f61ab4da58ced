"""The pooling before the classifiers in table 1 of RA-Net (2024).

Shapes: B batch, C channels, H x W a feature map.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from mmrev.arguments import Share
from mmrev.registry import MODELS


@MODELS.register_module()
class PoolDropout(nn.Module):
    """Global average pooling, then dropout.

    Args:
        p: The probability that a feature is set to zero in training.

    Shape:
        feature maps [B, C, H, W] -> features [B, C] of each.

    Example:
        >>> import torch
        >>> PoolDropout(0.2)((torch.zeros(2, 8, 4, 4),))[0].shape
        torch.Size([2, 8])
    """

    def __init__(self, p: Share = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(p)

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(self.dropout(F.adaptive_avg_pool2d(feature, 1).flatten(1)) for feature in features)
