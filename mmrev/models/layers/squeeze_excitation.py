"""Squeeze-and-excitation (SE; Hu et al., CVPR 2018), as RA-Net's tables count it.

Shapes: B batch, C channels, H x W the feature map.
"""

from torch import Tensor, nn

from mmrev.arguments import Count, checked


@checked
class SqueezeExcitation(nn.Module):
    """Multiplies each channel by a sigmoid gate. The averages of all channels decide about each gate.

    Both 1x1 convolutions have biases. The parameters agree with RA-Net's tables 2 to 4, except for ResNet-50.

    Args:
        channels: C.
        reduction: The squeeze is ``channels // reduction`` wide, at least 1.

    Shape:
        features [B, C, H, W] -> [B, C, H, W].

    Example:
        >>> import torch
        >>> SqueezeExcitation(32)(torch.randn(2, 32, 8, 8)).shape
        torch.Size([2, 32, 8, 8])
    """

    def __init__(self, channels: Count, reduction: Count = 16) -> None:
        super().__init__()
        squeezed = max(channels // reduction, 1)
        self.gate = nn.Sequential(
            nn.Conv2d(channels, squeezed, 1), nn.ReLU(inplace=True), nn.Conv2d(squeezed, channels, 1), nn.Sigmoid()
        )

    def forward(self, features: Tensor) -> Tensor:
        gate: Tensor = self.gate(features.mean((2, 3), keepdim=True))
        return features * gate
