"""Two ways to count a layer's FLOPs, both with one multiply-add as one.

``'thop'``, of RA-Net's tables 2 and 3 (thop 0.1.1): biases, activations and max pools are free, a norm layer costs four
a number (two without weights). thop itself also counts PReLU, Softmax, Upsample and recurrent layers, and no GroupNorm.

``'mmcv'``, of its table 4 (``get_model_complexity_info`` of mmcv 1.7): a convolution's bias, activations and all pools
count, a norm layer costs two a number (one without weights), a linear layer's bias is free.

What is no module (functional calls, additions, attention's matrix products) costs nothing in either. A subclass counts
as the class that it is of, where thop and mmcv leave out all but their own.
"""

from collections.abc import Callable
from math import prod

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.modules.pooling import _AdaptiveAvgPoolNd, _AdaptiveMaxPoolNd, _AvgPoolNd, _MaxPoolNd

Rule = Callable[[nn.Module, Tensor, Tensor], int]

NORMS = (_NormBase, nn.GroupNorm, nn.LayerNorm)
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU)
POOLS = (_MaxPoolNd, _AvgPoolNd, _AdaptiveMaxPoolNd, _AdaptiveAvgPoolNd)


def layer_flops(rule: str, layer: nn.Module, x: Tensor, y: Tensor) -> int:
    """FLOPs of one call of a layer that made ``y`` of ``x``, by the rule thop or mmcv; 0 for unknown layers."""
    return next((count(layer, x, y) for types, count in RULES[rule] if isinstance(layer, types)), 0)


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


# the first that fits: a transposed convolution is a _ConvNd too
RULES: dict[str, tuple[tuple[type | tuple[type, ...], Rule], ...]] = {
    'thop': (
        (_ConvNd, _convolution),  # a transposed one as well, though its multiply-adds go by the input's positions
        (nn.Linear, _linear),
        (NORMS, lambda layer, x, y: 2 * _norm(layer, x, y)),
        (_AvgPoolNd, lambda layer, x, y: y.numel()),
        (_AdaptiveAvgPoolNd, lambda layer, x, y: x.numel() + y.numel()),
    ),  # outputs * (kernel + 1)
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
