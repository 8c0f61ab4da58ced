"""Squeeze-and-excitation (Hu et al., CVPR 2018), as RA-Net's tables count it."""

from torch import Tensor, nn


class SqueezeExcitation(nn.Module):
    """Scales each channel by a sigmoid gate, computed from the averages of all.

    Both 1x1 convolutions have biases; the squeeze is ``channels // reduction`` wide, at least 1. This gives the
    parameter counts of RA-Net's tables 2 to 4 but for ResNet50's.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        squeezed = max(channels // reduction, 1)
        self.gate = nn.Sequential(
            nn.Conv2d(channels, squeezed, 1), nn.ReLU(inplace=True), nn.Conv2d(squeezed, channels, 1), nn.Sigmoid()
        )

    def forward(self, features: Tensor) -> Tensor:
        """Features [B, C, H, W] to the same shape."""
        return features * self.gate(features.mean((2, 3), keepdim=True))
