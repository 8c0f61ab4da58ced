"""The classifier that RAN shares with DeepLabv2-LargeFOV (Chen et al., TPAMI 2018)."""

from torch import nn


def dilated_classifier(in_channels: int, out_channels: int, dilation: int) -> nn.Conv2d:
    """A 3x3 convolution from features straight to class scores. It keeps the height and width.

    Example:
        >>> dilated_classifier(8, 5, dilation=12)
        Conv2d(8, 5, kernel_size=(3, 3), stride=(1, 1), padding=(12, 12), dilation=(12, 12))
    """
    return nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation)


def start_small(conv: nn.Conv2d) -> None:
    """Starts a convolution from small weights, as mmseg's classifiers do: standard deviation 0.01, bias 0.

    Example:
        >>> conv = dilated_classifier(8, 5, dilation=1)
        >>> start_small(conv)
        >>> conv.bias.any().item(), conv.weight.abs().max().item() < 0.1
        (False, True)
    """
    nn.init.normal_(conv.weight, std=0.01)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
