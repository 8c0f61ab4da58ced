"""Adds reverse attention with hooks to blocks that add their input to a branch by themselves (ConvNeXt, ViT, Swin).

Shapes: B batch, C channels, H x W the feature map, L tokens.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmrev.errors import ConfigError
from mmrev.models.layers import ModifiedGRN

from .libraries import Branch
from .residual_blocks import host_and_path


class GatedBranch(nn.Module):
    """Changes a branch F(x) to ``F(x) + (G(F(x)) - 1) * x``. The block then adds x, which gives equation 2 of RA-Net.

    While ``gamma`` is 0, the branch gives exactly what it gave before.

    Args:
        channels: C.
        branch: The parts of the block, and how its maps lie in memory.
        in_order: Whether the last part must not run before the first. Two branches may share their last part: then a
            gate that has seen no x leaves the output as it is.
        options: Those of ModifiedGRN.

    Shape:
        F(x) is [B, C, H, W], or [B, L, C] for tokens, or [B, H, W, C]. The norms of tokens run over all L.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> block = nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 4))
        >>> GatedBranch(4, Branch('0', '1')).attach(block)
        >>> block(torch.randn(2, 7, 4)).shape
        torch.Size([2, 7, 4])
    """

    def __init__(self, channels: int, branch: Branch, in_order: bool = True, **options: Any) -> None:
        super().__init__()
        self.gate = ModifiedGRN(channels, **options)
        self.branch, self.in_order = branch, in_order
        self.shortcut: Tensor | None = None

    def attach(self, block: nn.Module) -> None:
        """Hooks the part whose input is x and the part whose output is F(x)."""
        # deepcopy rebinds a bound method to the copied module, but not the variables of a closure
        if self.branch.first:  # _enter hands on the input of the block itself
            block.get_submodule(self.branch.first).register_forward_pre_hook(self.remember)
        block.get_submodule(self.branch.last).register_forward_hook(self.add)

    def remember(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Keeps x."""
        self.shortcut = inputs[0]

    def add(self, _: nn.Module, inputs: tuple[Tensor, ...], residual: Tensor) -> Tensor:
        """Returns the changed branch."""
        shortcut, self.shortcut = self.shortcut, None
        if shortcut is None:
            if self.in_order:
                raise ConfigError('the last part of a branch ran before its first part: swap the two in branches')
            return residual
        channels_last = residual.dim() == 3 or self.branch.channels_last
        # half precision would round a gate near 1 to 1
        features = residual.to(torch.promote_types(residual.dtype, torch.float32))
        excess = self.gate(features.flatten(1, -2).transpose(1, 2)[..., None] if channels_last else features) - 1
        excess = excess.to(torch.promote_types(residual.dtype, shortcut.dtype))
        if channels_last:
            excess = excess.view(len(residual), *[1] * (residual.dim() - 2), -1)
        return torch.addcmul(residual, excess, shortcut)


def gate_branches(network: nn.Module, branches: Mapping[str, Sequence[tuple]], **options: Any) -> int:
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
        own = branches.get(type(block).__name__)
        found = [_present(block, Branch(*branch)) for branch in own or _known_branches(block)]
        if found:
            gates = [_gate(block, branch, bool(own), options) for branch in found]
            block.reverse_attention = nn.ModuleList(gates)
            block.register_forward_pre_hook(_enter)
            for gate in gates:
                gate.attach(block)
            count += len(found)
    return count


def _enter(block: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Runs before a gated block, and gets the replica if the block is one."""
    if getattr(block, '_is_replica', False):
        _hook_replica(block)
    for gate in block.reverse_attention:  # type: ignore[union-attr]
        if not gate.branch.first:
            gate.remember(block, inputs)


def _hook_replica(block: nn.Module) -> None:
    """Gives the parts of a replica hooks of its own gates: nn.DataParallel copies the hooks of the original's gates."""
    gates = list(block.reverse_attention)  # type: ignore[arg-type]
    names = {name for gate in gates for name in gate.branch[:2] if name}
    for part in map(block.get_submodule, names):
        for hooks in ('_forward_pre_hooks', '_forward_hooks'):
            kept = [(key, hook) for key, hook in getattr(part, hooks).items() if not _is_of_a_gate(hook)]
            setattr(part, hooks, OrderedDict(kept))
    for gate in gates:
        gate.attach(block)


def _is_of_a_gate(hook: Any) -> bool:
    return isinstance(getattr(hook, '__self__', None), GatedBranch)


def _known_branches(block: nn.Module) -> Sequence[tuple]:
    known, path = host_and_path(block)
    return known.branches.get(path, ()) if known and _adds_its_input(block) else ()


def _adds_its_input(block: nn.Module) -> bool:
    # two marks of timm: a block without a shortcut, and a block whose shortcut is another map than its input
    return getattr(block, 'has_skip', True) and isinstance(getattr(block, 'shortcut', None), nn.Identity | None)


def _present(block: nn.Module, branch: Branch) -> Branch:
    """The branch with one name for each part."""
    names = dict(block.named_modules())
    first, last = (next((name for name in part.split('|') if name in names), part) for part in branch[:2])
    return branch._replace(first=first, last=last)


def _gate(block: nn.Module, branch: Branch, in_order: bool, options: Mapping[str, Any]) -> GatedBranch:
    start = _part(block, branch.first)
    _part(block, branch.last)
    wide = _part(block, branch.width_of) if branch.width_of else start
    weight = getattr(wide, 'weight', None)
    if weight is None:
        raise ConfigError(
            f'a branch of {type(block).__name__} cannot start with {branch.first!r}, which has no weight [C, ...] to '
            'tell the number of channels: name another part'
        )
    gate = GatedBranch(weight.shape[0], branch, in_order, **options).train(block.training).to(weight.device)
    return gate.requires_grad_(any(parameter.requires_grad for parameter in wide.parameters()))


def _part(block: nn.Module, name: str) -> nn.Module:
    try:
        return block.get_submodule(name)
    except AttributeError as error:
        parts = ', '.join(path for path, _ in block.named_modules() if path)
        raise ConfigError(f'{type(block).__name__} has no part {name!r}: it has {parts}') from error
