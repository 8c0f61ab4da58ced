"""The convolutional block attention module (Woo et al., ECCV 2018), as RA-Net's tables count it.

Deviation: the average and the maximum pass through an MLP each, where CBAM's own code shares one, and no batch norm
follows the 7x7 convolution. The counts in RA-Net's tables 2 and 3 come out so.
"""

import torch
from torch import Tensor, nn


def _mlp(channels: int, reduction: int) -> nn.Sequential:
    squeezed = max(channels // reduction, 1)
    return nn.Sequential(nn.Conv2d(channels, squeezed, 1), nn.ReLU(inplace=True), nn.Conv2d(squeezed, channels, 1))


class CBAM(nn.Module):
    """A sigmoid gate a channel, then a sigmoid gate a pixel."""

    def __init__(self, channels: int, reduction: int = 16, kernel_size: int = 7) -> None:
        super().__init__()
        self.average_mlp, self.maximum_mlp = _mlp(channels, reduction), _mlp(channels, reduction)
        self.spatial = nn.Conv2d(2, 1, kernel_size, padding=kernel_size // 2, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Features [B, C, H, W] to the same shape."""
        by_channel = self.average_mlp(features.mean((2, 3), keepdim=True)) + self.maximum_mlp(
            features.amax((2, 3), keepdim=True)
        )
        features = features * by_channel.sigmoid()
        by_pixel = torch.cat([features.mean(1, keepdim=True), features.amax(1, keepdim=True)], 1)
        return features * self.spatial(by_pixel).sigmoid()
