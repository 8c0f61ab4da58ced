"""The gate of "RA-Net: reverse attention for generalizing residual learning" (Wang et al., Scientific Reports 2024).

Shapes: B batch, C channels, H x W the feature map.
"""

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from mmrev.arguments import Count, Positive, checked

Aggregation = Literal['l2', 'l1', 'gap', 'gmp']
Normalization = Literal['grn', 'none', 'bn', 'ln']
Activation = Literal['one_plus', 'sigmoid', 'softmax']


def _at_least_float32(features: Tensor) -> torch.dtype:
    # a sum of squares overflows in half precision
    return torch.promote_types(features.dtype, torch.float32)


def _l2(features: Tensor) -> Tensor:
    dtype = _at_least_float32(features)
    if features.device.type == 'cpu' and not features.is_contiguous():
        # five times as fast as vector_norm on a channels-last map on a CPU; torch.where keeps the gradient at 0 finite
        squares = features.to(dtype).square().sum((2, 3), keepdim=True)
        norms: Tensor = torch.where(squares > 0, squares, 1).sqrt() * (squares > 0)
    else:
        norms = torch.linalg.vector_norm(features, 2, dim=(2, 3), keepdim=True, dtype=dtype)
    return norms


def _l1(features: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(features, 1, dim=(2, 3), keepdim=True, dtype=_at_least_float32(features))
    return norms


def _gap(features: Tensor) -> Tensor:
    return features.mean((2, 3), keepdim=True, dtype=_at_least_float32(features)).abs()


def _gmp(features: Tensor) -> Tensor:
    return features.amax((2, 3), keepdim=True).to(_at_least_float32(features)).abs()


class DivideByMean(nn.Module):
    """Equation 5: divides the aggregated values [B, C, 1, 1] by their mean over the channels."""

    def __init__(self, eps: float) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, aggregated: Tensor) -> Tensor:
        return aggregated / (aggregated.mean(1, keepdim=True) + self.eps)


class Standardize(DivideByMean):
    """Equation 4 over the channels (LN), without parameters. It gives 0 where all channels are equal."""

    def forward(self, aggregated: Tensor) -> Tensor:
        deviation, mean = torch.std_mean(aggregated, 1, correction=0, keepdim=True)
        return (aggregated - mean) / (deviation + self.eps)


AGGREGATIONS: dict[str, Callable[[Tensor], Tensor]] = {'l2': _l2, 'l1': _l1, 'gap': _gap, 'gmp': _gmp}
NORMALIZATIONS: dict[str, Callable[[int, float], nn.Module]] = {
    'grn': lambda channels, eps: DivideByMean(eps),
    'none': lambda channels, eps: nn.Identity(),
    'bn': lambda channels, eps: nn.BatchNorm2d(channels, eps, affine=False),
    'ln': lambda channels, eps: Standardize(eps),
}
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    'one_plus': lambda response: 1 + response,
    'sigmoid': torch.sigmoid,
    'softmax': lambda response: response.softmax(1),
}


@checked
class ModifiedGRN(nn.Module):
    """Modified global response normalisation: one gate per channel, ``G = 1 + gamma * N(P(F)) / temperature``.

    These are equations 3 to 8. The parameter ``gamma`` [C] starts at 0, so the gate starts at 1. The gate is 1 for
    features that are 0.

    Args:
        channels: C.
        aggregation: P of equation 3, see table 6. ``'l2'`` and ``'l1'`` are norms over H x W. ``'gap'`` and ``'gmp'``
            are the absolute values of the average and of the maximum over H x W.
        normalization: N, see table 7. ``'grn'`` is equation 5. ``'ln'`` is equation 4 over the channels. ``'bn'`` is
            equation 4 over the batch; its eps is below the root, as in batch norm. ``'none'`` leaves P as it is.
        activation: See table 8. ``'one_plus'`` is equation 8. ``'sigmoid'`` and ``'softmax'`` (over the channels) take
            ``gamma * N / temperature``; with them, as the paper says, the gate of features that are 0 is not 1.
        eps: Prevents a division of 0 by 0 in N.

    Attributes:
        temperature: A scalar buffer. It is 1 unless TemperatureAnnealingHook sets it. Weights without this key, such as
            those of a plain network, leave it as it is.

    Shape:
        features [B, C, H, W] -> gate [B, C, 1, 1], in the precision of the features. A caller that knows P(F) already
        gives it as ``aggregated`` [B, C, 1, 1].

    Raises:
        ConfigError: An option is unknown.

    Reading: table 6 takes absolute values, and we take them after pooling. The average of absolute values would be the
    L1 norm times a factor that equation 5 cancels, but the table has two different figures. BN and LN have no
    parameters of their own: ``gamma`` replaces their scale, and equation 7 removes beta. Half-precision features are
    aggregated in float32.

    Example:
        >>> import torch
        >>> gate = ModifiedGRN(4)
        >>> gate(torch.randn(2, 4, 8, 8)).flatten(1)
        tensor([[1., 1., 1., 1.],
                [1., 1., 1., 1.]], grad_fn=...)
    """

    def __init__(
        self,
        channels: Count,
        aggregation: Aggregation = 'l2',
        normalization: Normalization = 'grn',
        activation: Activation = 'one_plus',
        eps: Positive = 1e-6,
    ) -> None:
        super().__init__()
        self.aggregation, self.activation = aggregation, activation
        self.normalize = NORMALIZATIONS[normalization](channels, eps)
        self.gamma = nn.Parameter(torch.zeros(channels))
        self.temperature: Tensor
        self.register_buffer('temperature', torch.tensor(1.0))

    def forward(self, features: Tensor, aggregated: Tensor | None = None) -> Tensor:
        if aggregated is None:
            aggregated = AGGREGATIONS[self.aggregation](features)
        normalized = self.normalize(aggregated)
        response = self.gamma.view(-1, 1, 1) * normalized / self.temperature
        return ACTIVATIONS[self.activation](response).to(features.dtype)

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        state_dict.setdefault(f'{prefix}temperature', self.temperature)
        super()._load_from_state_dict(state_dict, prefix, *args)
