"""The gate of "RA-Net: reverse attention for generalizing residual learning" (Wang et al., Scientific Reports 2024).

Shapes: B batch, C channels, H x W the feature map.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from mmrev.errors import ConfigError

Aggregation = Literal['l2', 'l1', 'gap', 'gmp']
Normalization = Literal['grn', 'none', 'bn', 'ln']
Activation = Literal['one_plus', 'sigmoid', 'softmax']


def _wide(features: Tensor) -> torch.dtype:
    # half precision overflows in a sum of squares
    return torch.promote_types(features.dtype, torch.float32)


def _l2(features: Tensor) -> Tensor:
    if features.device.type == 'cpu' and not features.is_contiguous():
        # five times as fast as the norm of a channels-last map there; a square root has no gradient at 0, a norm has
        squares = features.to(_wide(features)).square().sum((2, 3), keepdim=True)
        return torch.where(squares > 0, squares, 1).sqrt() * (squares > 0)
    return torch.linalg.vector_norm(features, 2, dim=(2, 3), keepdim=True, dtype=_wide(features))


def _l1(features: Tensor) -> Tensor:
    return torch.linalg.vector_norm(features, 1, dim=(2, 3), keepdim=True, dtype=_wide(features))


AGGREGATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    'l2': _l2,
    'l1': _l1,
    'gap': lambda features: features.mean((2, 3), keepdim=True, dtype=_wide(features)).abs(),
    'gmp': lambda features: features.amax((2, 3), keepdim=True).to(_wide(features)).abs(),
}
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    'one_plus': lambda response: 1 + response,
    'sigmoid': torch.sigmoid,
    'softmax': lambda response: response.softmax(1),
}


class DivideByMean(nn.Module):
    """Equation 5: each of the aggregated values [B, C, 1, 1] over their mean over the channels."""

    def __init__(self, eps: float) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, aggregated: Tensor) -> Tensor:
        return aggregated / (aggregated.mean(1, keepdim=True) + self.eps)


class Standardize(DivideByMean):
    """Equation 4 over the channels (LN), without parameters; zero where all channels are equal."""

    def forward(self, aggregated: Tensor) -> Tensor:
        deviation, mean = torch.std_mean(aggregated, 1, correction=0, keepdim=True)
        return (aggregated - mean) / (deviation + self.eps)


NORMALIZATIONS: dict[str, Callable[[int, float], nn.Module]] = {
    'grn': lambda channels, eps: DivideByMean(eps),
    'none': lambda channels, eps: nn.Identity(),
    'bn': lambda channels, eps: nn.BatchNorm2d(channels, eps, affine=False),
    'ln': lambda channels, eps: Standardize(eps),
}


class ModifiedGRN(nn.Module):
    """Modified global response normalisation: a gate a channel, 1 where the features are 0 (equations 3 to 8).

    ``G(F) = 1 + gamma * N(P(F)) / temperature``, with a ``gamma`` [C] that starts at 0, so that G is 1 at first.

    Args:
        channels: C.
        aggregation: P of equation 3. ``'l2'`` and ``'l1'`` norms over H x W, or the absolute value of the average
            (``'gap'``) or of the maximum (``'gmp'``): table 6.
        normalization: N. ``'grn'`` is equation 5, ``'ln'`` is equation 4 over the channels, ``'bn'`` over the batch
            (with eps below the root, as batch norm has it), ``'none'`` leaves P as it is: table 7.
        activation: ``'one_plus'`` is equation 8; ``'sigmoid'`` and ``'softmax'`` (over channels) of
            ``gamma * N / temperature`` are those of table 8, for which the paper says that G(0) is not 1.
        eps: Keeps the division in N from 0 / 0.

    Attributes:
        temperature: A scalar buffer, 1 unless TemperatureAnnealingHook sets it. Weights that lack it, those of a plain
            network, leave it as it is.

    Raises:
        ConfigError: An option is not one of the above.

    Reading: the absolute values of table 6 are those of the pooled values. An average of absolute values would be the
    L1 norm up to a factor that equation 5 cancels, and the table has two figures. BN and LN have no parameters of
    their own: gamma takes the place of theirs, and beta is removed as in equation 7. Half-precision features are
    aggregated in float32.
    """

    def __init__(
        self,
        channels: int,
        aggregation: Aggregation = 'l2',
        normalization: Normalization = 'grn',
        activation: Activation = 'one_plus',
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        for what, name, choices in (
            ('aggregation', aggregation, AGGREGATIONS),
            ('normalization', normalization, NORMALIZATIONS),
            ('activation', activation, ACTIVATIONS),
        ):
            if name not in choices:
                raise ConfigError(f'unknown {what} {name!r}: use one of {", ".join(map(repr, choices))}')
        self.aggregation, self.activation = aggregation, activation
        self.normalize = NORMALIZATIONS[normalization](channels, eps)
        self.gamma = nn.Parameter(torch.zeros(channels))
        self.register_buffer('temperature', torch.tensor(1.0))

    def forward(self, features: Tensor, aggregated: Tensor | None = None) -> Tensor:
        """The gate G [B, C, 1, 1] of features F [B, C, H, W], in their precision; P(F) [B, C, 1, 1] may be known."""
        if aggregated is None:
            aggregated = AGGREGATIONS[self.aggregation](features)
        normalized = self.normalize(aggregated)
        response = self.gamma.view(-1, 1, 1) * normalized / self.temperature
        return ACTIVATIONS[self.activation](response).to(features.dtype)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args) -> None:
        state_dict.setdefault(f'{prefix}temperature', self.temperature)
        super()._load_from_state_dict(state_dict, prefix, *args)
