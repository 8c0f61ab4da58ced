"""How a residual block joins its two branches: equation 1 of RA-Net (2024), generalised.

Shapes: residual F(x) and shortcut x, both [B, C, H, W], to their sum of the same shape.
"""

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from .cbam import CBAM
from .modified_grn import AGGREGATIONS, ModifiedGRN
from .squeeze_excitation import SqueezeExcitation


class _L2NormAside(torch.autograd.Function):
    """L2 norms [B, C, 1, 1] and the features as they were.

    Both gradients meet here in one pass over the features; autograd's own takes two and a map of the features' size.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(features: Tensor) -> tuple[Tensor, Tensor]:
        return AGGREGATIONS['l2'](features), features.view_as(features)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple, output: tuple) -> None:
        ctx.save_for_backward(inputs[0], output[0])

    @staticmethod
    def backward(ctx: FunctionCtx, of_norms: Tensor, of_features: Tensor) -> Tensor:
        features, norms = ctx.saved_tensors
        factor = (of_norms / norms).masked_fill(norms == 0, 0)
        if features.dtype != torch.float16:  # beyond whose range it is where a channel is all but dead
            factor = factor.to(features.dtype)
        return torch.addcmul(of_features, features, factor).to(features.dtype)


class _GatedSum(torch.autograd.Function):
    """``residual + gate * shortcut``, without the map ``gate * shortcut``."""

    generate_vmap_rule = True

    @staticmethod
    def forward(residual: Tensor, gate: Tensor, shortcut: Tensor) -> Tensor:
        return torch.addcmul(residual, gate, shortcut)

    @staticmethod
    def setup_context(ctx: FunctionCtx, inputs: tuple, output: Tensor) -> None:
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        gate, shortcut = ctx.saved_tensors
        return gradient, (gradient * shortcut).sum((2, 3), keepdim=True), gradient * gate


class ReverseAttentionAddition(nn.Module):
    """Equation 2: ``F(x) + G(F(x)) * x``.

    Args:
        channels: C.
        inplace: Where gradients are off, overwrite F(x) with the sum, as the hosts' ``out += identity`` does.
        options: Those of ModifiedGRN.
    """

    def __init__(self, channels: int, inplace: bool = False, **options) -> None:
        super().__init__()
        self.gate = ModifiedGRN(channels, **options)
        self.inplace = inplace

    def forward(self, residual: Tensor, shortcut: Tensor) -> Tensor:
        if self.inplace and not torch.is_grad_enabled():
            return residual.addcmul_(self.gate(residual), shortcut)
        norms = None
        if self.gate.aggregation == 'l2':
            norms, residual = _L2NormAside.apply(residual)
        return _GatedSum.apply(residual, self.gate(residual, norms), shortcut)


class SEAddition(SqueezeExcitation):
    """``SE(F(x)) + x``."""

    def forward(self, residual: Tensor, shortcut: Tensor) -> Tensor:
        return super().forward(residual) + shortcut


class CBAMAddition(CBAM):
    """``CBAM(F(x)) + x``."""

    def forward(self, residual: Tensor, shortcut: Tensor) -> Tensor:
        return super().forward(residual) + shortcut
