"""How a residual block adds its two branches: equation 1 of RA-Net (2024), and its generalisations.

Shapes: B batch, C channels, H x W the feature map. The residual F(x), the shortcut x and their sum are [B, C, H, W].
"""

from typing import Any

import torch
from torch import Tensor, nn

from .cbam import CBAM
from .modified_grn import AGGREGATIONS, ModifiedGRN
from .squeeze_excitation import SqueezeExcitation


class _L2NormsAndFeatures(torch.autograd.Function):
    """Returns the L2 norms [B, C, 1, 1] of the features, and the features unchanged.

    The features go through this function because the sum needs them too. So both gradients arrive here, and one pass
    over the features adds them. Autograd alone takes two passes and one more map of the features' size.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(features: Tensor) -> tuple[Tensor, Tensor]:
        return AGGREGATIONS['l2'](features), features.view_as(features)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(inputs[0], output[0])

    @staticmethod
    def backward(ctx: Any, norms_gradient: Tensor, features_gradient: Tensor) -> Tensor:
        features, norms = ctx.saved_tensors
        factor = (norms_gradient / norms).masked_fill(norms == 0, 0)
        if features.dtype != torch.float16:  # the factor of a channel that is almost 0 overflows float16
            factor = factor.to(features.dtype)
        return torch.addcmul(features_gradient, features, factor).to(features.dtype)


class _GatedSum(torch.autograd.Function):
    """Returns ``residual + gate * shortcut`` without a map for ``gate * shortcut``."""

    generate_vmap_rule = True

    @staticmethod
    def forward(residual: Tensor, gate: Tensor, shortcut: Tensor) -> Tensor:
        return torch.addcmul(residual, gate, shortcut)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        gate, shortcut = ctx.saved_tensors
        return gradient, (gradient * shortcut).sum((2, 3), keepdim=True), gradient * gate


def _apply(function: type[torch.autograd.Function], *inputs: Tensor) -> Any:
    return function.apply(*inputs)  # type: ignore[no-untyped-call]  # torch leaves it without annotations


class ReverseAttentionAddition(nn.Module):
    """Equation 2: ``F(x) + G(F(x)) * x``.

    Args:
        channels: C.
        inplace: Whether to overwrite F(x) with the sum where gradients are off. The hosts' ``out += identity`` does so.
        options: Those of ModifiedGRN.

    Shape:
        residual [B, C, H, W], shortcut [B, C, H, W] -> sum [B, C, H, W].

    Example:
        >>> import torch
        >>> add = ReverseAttentionAddition(4)
        >>> add(torch.ones(1, 4, 2, 2), torch.ones(1, 4, 2, 2)).sum().item()  # gamma is 0: equation 1
        32.0
    """

    def __init__(self, channels: int, inplace: bool = False, **options: Any) -> None:
        super().__init__()
        self.gate = ModifiedGRN(channels, **options)
        self.inplace = inplace

    def forward(self, residual: Tensor, shortcut: Tensor) -> Tensor:
        if self.inplace and not torch.is_grad_enabled():
            return residual.addcmul_(self.gate(residual), shortcut)
        norms = None
        if self.gate.aggregation == 'l2':
            norms, residual = _apply(_L2NormsAndFeatures, residual)
        total: Tensor = _apply(_GatedSum, residual, self.gate(residual, norms), shortcut)
        return total


class SEAddition(SqueezeExcitation):
    """``SE(F(x)) + x``.

    Args:
        channels: C.
        reduction: As in SqueezeExcitation.

    Shape:
        residual [B, C, H, W], shortcut [B, C, H, W] -> sum [B, C, H, W].

    Example:
        >>> import torch
        >>> SEAddition(4)(torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)).shape
        torch.Size([2, 4, 8, 8])
    """

    # a base class keeps the keys of SE as they are; an addition has two inputs
    def forward(self, residual: Tensor, shortcut: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(residual) + shortcut


class CBAMAddition(CBAM):
    """``CBAM(F(x)) + x``.

    Args:
        channels: C.
        reduction: As in CBAM.
        kernel_size: As in CBAM.

    Shape:
        residual [B, C, H, W], shortcut [B, C, H, W] -> sum [B, C, H, W].

    Example:
        >>> import torch
        >>> CBAMAddition(4)(torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)).shape
        torch.Size([2, 4, 8, 8])
    """

    # as in SEAddition
    def forward(self, residual: Tensor, shortcut: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(residual) + shortcut
