"""Adds reverse attention with hooks to blocks that add their input to a branch by themselves (ConvNeXt, ViT, Swin).

Shapes: B batch, C channels, H x W the feature map, L tokens.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmrev.errors import ConfigError
from mmrev.hosts import Branch
from mmrev.models.layers import ModifiedGRN

from .residual_blocks import host_and_path


class GatedBranch(nn.Module):
    """Changes a branch F(x) to ``F(x) + (G(F(x)) - 1) * x``. The block then adds x, which gives equation 2 of RA-Net.

    While ``gamma`` is 0, the branch gives exactly what it gave before.

    Args:
        channels: C.
        options: Those of ModifiedGRN.

    Shape:
        F(x) is [B, C, H, W], or [B, L, C] for tokens. The norms of tokens run over all L.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> block = nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 4))
        >>> GatedBranch(4).attach(block[0], block[1])
        >>> block(torch.randn(2, 7, 4)).shape
        torch.Size([2, 7, 4])
    """

    def __init__(self, channels: int, **options: Any) -> None:
        super().__init__()
        self.gate = ModifiedGRN(channels, **options)
        self.shortcut: Tensor | None = None

    def attach(self, first: nn.Module, last: nn.Module) -> None:
        """Hooks the part whose input is x and the part whose output is F(x)."""
        # deepcopy rebinds a bound method to the copied module, but not the variables of a closure
        first.register_forward_pre_hook(self._remember)
        last.register_forward_hook(self._add)

    def _remember(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self.shortcut = inputs[0]

    def _add(self, _: nn.Module, inputs: tuple[Tensor, ...], residual: Tensor) -> Tensor:
        shortcut, self.shortcut = self.shortcut, None
        if shortcut is None:
            raise ConfigError('the last part of a branch ran before its first part: swap the two in branches')
        tokens = residual.dim() == 3
        # half precision would round a gate near 1 to 1
        features = residual.to(torch.promote_types(residual.dtype, torch.float32))
        excess = self.gate(features.transpose(1, 2)[..., None] if tokens else features) - 1
        excess = excess.to(torch.promote_types(residual.dtype, shortcut.dtype))
        return torch.addcmul(residual, excess.squeeze(-1).transpose(1, 2) if tokens else excess, shortcut)


def gate_branches(network: nn.Module, branches: Mapping[str, Sequence[Branch]], **options: Any) -> int:
    """Adds a GatedBranch for each known branch of each block.

    Args:
        network: A built network. It is changed in place.
        branches: Branches of further blocks, by the name of their class.
        options: Those of ModifiedGRN.

    Returns:
        The number of branches that got one.

    Raises:
        ConfigError: A block lacks a named part, or the first part has no ``weight``.

    Example:
        >>> from torch import nn
        >>> network = nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 4))
        >>> gate_branches(network, {'Sequential': [('0', '1')]})
        1
    """
    count = 0
    for block in list(network.modules()):  # a list, because the loop adds modules
        pairs = branches.get(type(block).__name__) or _known_branches(block)
        if pairs:
            block.reverse_attention = nn.ModuleList(_gate(block, first, last, options) for first, last in pairs)
            count += len(pairs)
    return count


def _known_branches(block: nn.Module) -> Sequence[Branch]:
    host, path = host_and_path(block)
    return host.branches.get(path, ()) if host else ()


def _gate(block: nn.Module, first: str, last: str, options: Mapping[str, Any]) -> GatedBranch:
    start, end = _part(block, first), _part(block, last)
    weight = getattr(start, 'weight', None)
    if weight is None:
        raise ConfigError(
            f'a branch of {type(block).__name__} cannot start with {first!r}, which has no weight [C, ...] to tell the '
            'number of channels: name another part'
        )
    gate = GatedBranch(weight.shape[0], **options).train(block.training)
    gate.requires_grad_(any(parameter.requires_grad for parameter in start.parameters()))
    gate.attach(start, end)
    return gate


def _part(block: nn.Module, name: str) -> nn.Module:
    try:
        return block.get_submodule(name)
    except AttributeError as error:
        parts = ', '.join(path for path, _ in block.named_modules() if path)
        raise ConfigError(f'{type(block).__name__} has no part {name!r}: it has {parts}') from error
