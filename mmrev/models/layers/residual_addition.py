"""How a residual block joins its two branches: equation 1 of RA-Net (2024), generalised.

Shapes: residual F(x) and shortcut x, both [B, C, H, W], to their sum of the same shape.
"""
import torch
from torch import Tensor, nn

from .cbam import CBAM
from .modified_grn import ModifiedGRN
from .squeeze_excitation import SqueezeExcitation


class ReverseAttentionAddition(nn.Module):
    """Equation 2: ``F(x) + G(F(x)) * x``. The options are those of ModifiedGRN."""

    def __init__(self, channels: int, **options) -> None:
        super().__init__()
        self.gate = ModifiedGRN(channels, **options)

    def forward(self, residual: Tensor, shortcut: Tensor) -> Tensor:
        return torch.addcmul(residual, self.gate(residual), shortcut)


class SEAddition(SqueezeExcitation):
    """``SE(F(x)) + x``."""

    def forward(self, residual: Tensor, shortcut: Tensor) -> Tensor:
        return super().forward(residual) + shortcut


class CBAMAddition(CBAM):
    """``CBAM(F(x)) + x``."""

    def forward(self, residual: Tensor, shortcut: Tensor) -> Tensor:
        return super().forward(residual) + shortcut
