"""A 3x3 convolution with a norm and an activation, whose weights have the names of those in mmcv's ``ConvModule``.

Shapes: B batch, C input channels, O output channels, H x W the feature map.
"""

from collections.abc import Callable

from torch import Tensor, nn

NORM_NAMES = {'Batch': 'bn', 'Group': 'gn', 'Instance': 'in', 'Layer': 'ln'}  # as in mmcv


class ConvBlock(nn.Module):
    """A 3x3 convolution, a norm and a ReLU.

    Args:
        in_channels: C.
        out_channels: O.
        norm: Makes the norm from its channels, such as ``nn.BatchNorm2d``. With None, the convolution has a bias.

    Shape:
        [B, C, H, W] -> [B, O, H, W].

    Example:
        >>> list(ConvBlock(4, 2, nn.BatchNorm2d).state_dict())[:2]
        ['conv.weight', 'bn.weight']
    """

    def __init__(self, in_channels: int, out_channels: int, norm: Callable[[int], nn.Module] | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=norm is None)
        start_before_relu(self.conv)
        self.norm_name: str | None = None
        if norm:
            layer = norm(out_channels)
            kind = type(layer).__name__
            self.norm_name = next((short for long, short in NORM_NAMES.items() if long in kind), 'norm')
            self.add_module(self.norm_name, layer)

    def forward(self, x: Tensor) -> Tensor:
        return self.finish(self.conv(x))

    def finish(self, x: Tensor) -> Tensor:
        """Applies what follows the convolution."""
        if self.norm_name:
            x = self.get_submodule(self.norm_name)(x)
        return x.relu_()


def start_before_relu(conv: nn.Conv2d) -> None:
    """Starts a convolution as mmcv does before a ReLU: He's initialisation over the output, bias 0.

    Example:
        >>> conv = nn.Conv2d(2, 4, 1)
        >>> start_before_relu(conv)
        >>> conv.bias.any().item()
        False
    """
    nn.init.kaiming_normal_(conv.weight, mode='fan_out', nonlinearity='relu')
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
