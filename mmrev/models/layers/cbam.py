"""The convolutional block attention module (CBAM; Woo et al., ECCV 2018), as RA-Net's tables count it.

Shapes: B batch, C channels, H x W the feature map.
"""

import torch
from torch import Tensor, nn

from mmrev.arguments import Count, checked


def _mlp(channels: int, reduction: int) -> nn.Sequential:
    squeezed = max(channels // reduction, 1)
    return nn.Sequential(nn.Conv2d(channels, squeezed, 1), nn.ReLU(inplace=True), nn.Conv2d(squeezed, channels, 1))


@checked
class CBAM(nn.Module):
    """Multiplies the features by one sigmoid gate per channel, and then by one sigmoid gate per pixel.

    Args:
        channels: C.
        reduction: The number of channels divided by the width of the MLPs.
        kernel_size: Of the convolution that makes the gates of the pixels.

    Shape:
        features [B, C, H, W] -> [B, C, H, W].

    Deviation: the average and the maximum have one MLP each, while CBAM's own code shares one. No batch norm follows
    the 7x7 convolution. With both, the parameters agree with RA-Net's tables 2 and 3.

    Example:
        >>> import torch
        >>> CBAM(32)(torch.randn(2, 32, 8, 8)).shape
        torch.Size([2, 32, 8, 8])
    """

    def __init__(self, channels: Count, reduction: Count = 16, kernel_size: Count = 7) -> None:
        super().__init__()
        self.average_mlp, self.maximum_mlp = _mlp(channels, reduction), _mlp(channels, reduction)
        self.spatial = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        average, maximum = features.mean((2, 3), keepdim=True), features.amax((2, 3), keepdim=True)
        channel_scores: Tensor = self.average_mlp(average) + self.maximum_mlp(maximum)
        features = features * channel_scores.sigmoid()
        pooled = torch.cat([features.mean(1, keepdim=True), features.amax(1, keepdim=True)], 1)
        pixel_scores: Tensor = self.spatial(pooled)
        return features * pixel_scores.sigmoid()
