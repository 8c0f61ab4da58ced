"""Reverse attention in blocks that add their input to a branch by themselves, without a line of theirs rewritten."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from mmrev.errors import ConfigError
from mmrev.models.layers import ModifiedGRN

from .residual_blocks import source_of

# (the part whose input is the shortcut x, the part whose output is the residual F(x) that the block adds to it)
Branch = tuple[str, str]
_SWIN: Sequence[Branch] = (('norm1', 'attn'), ('norm2', 'ffn.dropout_layer'))
BRANCHES: Mapping[str, Sequence[Branch]] = {
    'mmpretrain.models.backbones.convnext.ConvNeXtBlock': [('depthwise_conv', 'drop_path')],
    'mmpretrain.models.backbones.vision_transformer.TransformerEncoderLayer': [
        ('ln1', 'attn'),
        ('ln2', 'ffn.dropout_layer'),
    ],
    'mmseg.models.backbones.vit.TransformerEncoderLayer': [('ln1', 'attn.dropout_layer'), ('ln2', 'ffn.dropout_layer')],
    'mmpretrain.models.backbones.swin_transformer.SwinBlock': _SWIN,
    'mmseg.models.backbones.swin.SwinBlock': _SWIN,
    'mmdet.models.backbones.swin.SwinBlock': _SWIN,
}


class GatedBranch(nn.Module):
    """Changes a branch F(x) to ``F(x) + (G(F(x)) - 1) * x``: the block's own ``+ x`` then makes it equation 2.

    F(x) is [B, C, H, W], or tokens [B, L, C], whose norms run over all L of them. With ``gamma`` at 0 the branch is
    exactly what it was.
    """

    def __init__(self, channels: int, **options) -> None:
        super().__init__()
        self.gate = ModifiedGRN(channels, **options)
        self.shortcut: Tensor | None = None

    def attach(self, first: nn.Module, last: nn.Module) -> None:
        """Hooks the parts where the branch starts and ends."""
        # bound methods, unlike closures, follow their module when a network is copied
        first.register_forward_pre_hook(self._remember)
        last.register_forward_hook(self._add)

    def _remember(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self.shortcut = inputs[0]

    def _add(self, _: nn.Module, inputs: tuple, residual: Tensor) -> Tensor:
        shortcut, self.shortcut = self.shortcut, None
        tokens = residual.dim() == 3
        # a gate near 1 would be 1 in half precision
        features = residual.to(torch.promote_types(residual.dtype, torch.float32))
        excess = self.gate(features.transpose(1, 2)[..., None] if tokens else features) - 1
        excess = excess.to(torch.promote_types(residual.dtype, shortcut.dtype))
        return torch.addcmul(residual, excess.squeeze(-1).transpose(1, 2) if tokens else excess, shortcut)


def gate_branches(network: nn.Module, branches: Mapping[str, Sequence[Branch]], **options) -> int:
    """Adds a GatedBranch for each known branch of each block; returns how many.

    Raises:
        ConfigError: A block has no part of that name, or a first part no `weight`.
    """
    found = list(_find(network, {**BRANCHES, **branches}))
    for block, pairs in found:
        gates = nn.ModuleList()
        for first, last in pairs:
            start, end = _part(block, first), _part(block, last)
            if getattr(start, 'weight', None) is None:
                raise ConfigError(
                    f'a branch of {type(block).__name__} cannot start with {first!r}, which has no '
                    'weight [C, ...] to tell the number of channels: name another part'
                )
            gate = GatedBranch(start.weight.shape[0], **options).train(block.training)
            gate.requires_grad_(any(parameter.requires_grad for parameter in start.parameters()))
            gate.attach(start, end)
            gates.append(gate)
        block.reverse_attention = gates
    return sum(len(pairs) for _, pairs in found)


def _part(block: nn.Module, name: str) -> nn.Module:
    try:
        return block.get_submodule(name)
    except AttributeError as error:
        parts = ', '.join(path for path, _ in block.named_modules() if path)
        raise ConfigError(f'{type(block).__name__} has no part {name!r}: it has {parts}') from error


def _find(network: nn.Module, branches: Mapping[str, Sequence[Branch]]) -> Iterator[tuple]:
    for block in network.modules():
        pairs = branches.get(type(block).__name__) or branches.get(source_of(block))
        if pairs:
            yield block, pairs
