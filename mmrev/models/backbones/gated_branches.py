"""Reverse attention in blocks that add their input to a branch by themselves, without a line of theirs rewritten."""
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from mmrev.models.layers import ModifiedGRN

from .residual_blocks import source_of

# (the part whose input is the shortcut x, the part whose output is the residual F(x) that the block adds to it)
Branch = tuple[str, str]
_SWIN: Sequence[Branch] = (('norm1', 'attn'), ('norm2', 'ffn.dropout_layer'))
BRANCHES: Mapping[str, Sequence[Branch]] = {
    'mmpretrain.ConvNeXtBlock': [('depthwise_conv', 'drop_path')],
    'mmpretrain.TransformerEncoderLayer': [('ln1', 'attn'), ('ln2', 'ffn.dropout_layer')],
    'mmseg.TransformerEncoderLayer': [('ln1', 'attn.dropout_layer'), ('ln2', 'ffn.dropout_layer')],
    'mmpretrain.SwinBlock': _SWIN, 'mmseg.SwinBlock': _SWIN, 'mmdet.SwinBlock': _SWIN,
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
        gate = self.gate(residual.transpose(1, 2)[..., None] if tokens else residual)
        return torch.addcmul(residual, (gate.squeeze(-1).transpose(1, 2) if tokens else gate) - 1, shortcut)


def gate_branches(network: nn.Module, branches: Mapping[str, Sequence[Branch]], **options) -> int:
    """Adds a GatedBranch for each known branch of each block; returns how many."""
    found = list(_find(network, {**BRANCHES, **branches}))
    for block, pairs in found:
        gates = nn.ModuleList()
        for first, last in pairs:
            start, end = block.get_submodule(first), block.get_submodule(last)
            gate = GatedBranch(start.weight.shape[0], **options).train(block.training)
            gate.requires_grad_(any(parameter.requires_grad for parameter in start.parameters()))
            gate.attach(start, end)
            gates.append(gate)
        block.reverse_attention = gates
    return sum(len(pairs) for _, pairs in found)


def _find(network: nn.Module, branches: Mapping[str, Sequence[Branch]]) -> Iterator[tuple]:
    for block in network.modules():
        pairs = branches.get(type(block).__name__) or branches.get(source_of(block))
        if pairs:
            yield block, pairs
