"""Two rules for a layer's FLOPs. Both count a multiply-add as one.

``'thop'`` gives tables 2 and 3 of RA-Net (thop 0.1.1). Biases, activations and max pools are free. A norm layer costs
four for each number, or two without weights. thop itself also counts PReLU, Softmax, Upsample and recurrent layers, and
it leaves out GroupNorm.

``'mmcv'`` gives RA-Net's table 4 (``get_model_complexity_info`` of mmcv 1.7). Activations, all pools and the
biases of convolutions count. A norm layer costs two for each number, or one without weights. The bias of a linear layer
is free.

Operations outside a module (functional calls, additions, the matrix products of attention) cost nothing in either rule.
A subclass counts as its base class does. thop and mmcv count only the classes that they list.
"""

from collections.abc import Callable
from math import prod
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.modules.pooling import _AdaptiveAvgPoolNd, _AdaptiveMaxPoolNd, _AvgPoolNd, _MaxPoolNd

# the FLOPs of one call: (the layer, its input, its output) -> FLOPs
Rule = Callable[[Any, Tensor, Tensor], int]

NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm)
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU)
POOLS = (_MaxPoolNd, _AvgPoolNd, _AdaptiveMaxPoolNd, _AdaptiveAvgPoolNd)


def layer_flops(rule: str, layer: nn.Module, x: Tensor, y: Tensor) -> int:
    """Counts the FLOPs of one call of a layer. An unknown layer costs 0.

    Args:
        rule: ``'thop'`` or ``'mmcv'``.
        layer: The layer.
        x: Its input.
        y: Its output.

    Example:
        >>> import torch
        >>> x = torch.zeros(1, 4, 4, 6)
        >>> layer_flops('thop', nn.BatchNorm2d(4), x, x), layer_flops('mmcv', nn.BatchNorm2d(4), x, x)
        (384, 192)
    """
    for types, count in RULES[rule]:
        if isinstance(layer, types):
            return count(layer, x, y)
    return 0


def _convolution(layer: _ConvNd, x: Tensor, y: Tensor) -> int:
    return y.numel() * (layer.in_channels // layer.groups) * prod(layer.kernel_size)


def _biased_convolution(layer: _ConvNd, x: Tensor, y: Tensor) -> int:
    return _convolution(layer, x, y) + _bias(layer, y)


def _biased_transposed(layer: _ConvTransposeNd, x: Tensor, y: Tensor) -> int:
    return x.numel() * (layer.out_channels // layer.groups) * prod(layer.kernel_size) + _bias(layer, y)


def _bias(layer: _ConvNd, y: Tensor) -> int:
    return 0 if layer.bias is None else y.numel()


def _linear(layer: nn.Linear, x: Tensor, y: Tensor) -> int:
    return y.numel() * layer.in_features


def _norm(layer: nn.Module, x: Tensor, y: Tensor) -> int:
    affine = getattr(layer, 'affine', False) or getattr(layer, 'elementwise_affine', False)
    return x.numel() * (2 if affine else 1)


# the first entry that fits counts: a transposed convolution is a _ConvNd too
RULES: dict[str, tuple[tuple[type | tuple[type, ...], Rule], ...]] = {
    'thop': (
        # thop counts a transposed convolution like any other, by the positions of its output
        (_ConvNd, _convolution),
        (nn.Linear, _linear),
        (NORMS, lambda layer, x, y: 2 * _norm(layer, x, y)),
        (_AvgPoolNd, lambda layer, x, y: y.numel()),
        (_AdaptiveAvgPoolNd, lambda layer, x, y: x.numel() + y.numel()),
    ),
    'mmcv': (
        (_ConvTransposeNd, _biased_transposed),
        (_ConvNd, _biased_convolution),
        (nn.Linear, _linear),
        (NORMS, _norm),
        (ACTIVATIONS, lambda layer, x, y: y.numel()),
        (POOLS, lambda layer, x, y: x.numel()),
        (nn.Upsample, lambda layer, x, y: y.numel()),
    ),
}
