"""Figure 5 of RA-Net (2024): the activations G(F(x)) of reverse attention, by class and block.

Shapes: B batch, C channels of a block.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from mmrev.errors import CheckpointError
from mmrev.models.layers import ModifiedGRN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# a block's path: a stage counted from 1, from 0, or none at all, and the block counted from 0
_BLOCK = re.compile(r'(?:layer(?P<from_1>\d+)|stages\.(?P<from_0>\d+)(?:\.blocks)?|layers)\.(?P<block>\d+)')
_GATE = re.compile(r'\.(addition|reverse_attention\.\d+)\.gate$')


class ChannelStatistics:
    """Mean and standard deviation [C] over images, which come a batch at a time.

    Attributes:
        images: How many there were.
        mean: 0 before the first batch.
    """

    def __init__(self) -> None:
        self.images, self.mean, self._squares = 0, np.zeros(()), np.zeros(())

    def add(self, values: np.ndarray) -> None:
        """Takes in a batch [B, C] by the pairwise update of Chan, Golub and LeVeque (1979)."""
        mean = values.mean(0)
        images, shift = self.images + len(values), mean - self.mean
        self._squares = self._squares + ((values - mean) ** 2).sum(0) + shift**2 * self.images * len(values) / images
        self.mean = self.mean + shift * len(values) / images
        self.images = images

    @property
    def std(self) -> np.ndarray:
        """Of these images (divided by their number), not an estimate for others."""
        return np.sqrt(self._squares / self.images)


# by class, then by block
Activations = Mapping[str, Mapping[str, ChannelStatistics]]


def named_gates(network: nn.Module) -> dict[str, ModifiedGRN]:
    """The gates of a network by the name of their block, in the order of depth; empty if there are none.

    As in the paper, ``RA_2_3`` is the third block of the second stage: the stem is stage 1, so ``layer1`` of ResNet and
    MobileNetV2 and ``stages.0`` of ConvNeXt and Swin are stage 2. All of ViT is stage 2. Where a block has two branches
    (attention, then feed-forward), their number follows: ``RA_2_3_1``. Blocks of other networks are called by their
    path.
    """
    gates = {path: module for path, module in network.named_modules() if isinstance(module, ModifiedGRN)}
    in_block, seen = Counter(_GATE.sub('', path) for path in gates), Counter()
    named = {}
    for path, gate in gates.items():
        block = _GATE.sub('', path)
        seen[block] += 1
        named[_name(block) + (f'_{seen[block]}' if in_block[block] > 1 else '')] = gate
    return named


def _name(block: str) -> str:
    match = _BLOCK.fullmatch(block)
    if match is None:
        return block
    stage = int(match['from_1']) + 1 if match['from_1'] else int(match['from_0'] or 0) + 2
    return f'RA_{stage}_{int(match["block"]) + 1}'


@torch.no_grad()
def collect(
    network: Callable[[Tensor], Any], gates: Mapping[str, ModifiedGRN], batches: Iterable[Tensor]
) -> dict[str, ChannelStatistics]:
    """The activations of a network's gates on the images of a class.

    Args:
        network: In evaluation mode.
        gates: Of the network, by name.
        batches: Inputs of the network, whose first dimension is the batch.

    Raises:
        CheckpointError: An activation is not finite.
    """
    found = {name: ChannelStatistics() for name in gates}
    hooks = [gate.register_forward_hook(_record(name, found[name])) for name, gate in gates.items()]
    try:
        for inputs in batches:
            network(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _record(name: str, statistics: ChannelStatistics) -> Callable[[nn.Module, tuple, Tensor], None]:
    def record(module: nn.Module, inputs: tuple, gate: Tensor) -> None:
        if not gate.isfinite().all():
            raise CheckpointError(
                f'{name} has activations that are not finite: the training has diverged, take an earlier checkpoint'
            )
        statistics.add(gate.flatten(1).cpu().double().numpy())

    return record


def write_activations(path: str | Path, activations: Activations) -> Path:
    """Writes a CSV with a row a class, block and channel: how many images, their mean and standard deviation."""
    with open(path, 'w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(['class', 'block', 'channel', 'images', 'mean', 'std'])
        for label, blocks in activations.items():
            for block, found in blocks.items():
                writer.writerows(
                    [label, block, channel, found.images, f'{mean:.9g}', f'{std:.9g}']
                    for channel, (mean, std) in enumerate(zip(found.mean, found.std, strict=True))
                )
    return Path(path)


def draw_activations(path: str | Path, activations: Activations) -> Path:
    """Writes `activations_figure` as a picture."""
    activations_figure(activations).savefig(path, dpi=200)
    return Path(path)


def activations_figure(activations: Activations) -> 'Figure':
    """Figure 5: one panel a block, in it a line a class of the mean activations, and their distribution beside them."""
    from matplotlib.figure import Figure

    blocks = list(next(iter(activations.values())))
    columns = 3 if len(blocks) <= 9 and len(blocks) % 4 else 4
    rows = -(-len(blocks) // columns)
    figure = Figure(figsize=(3.2 * columns, 1.9 * rows + 0.6), layout='constrained')
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, block in zip(axes, blocks, strict=False):
        _draw_block(axis, {label: found[block].mean for label, found in activations.items()})
        axis.set_title(block, fontsize=9)
    for axis in axes[len(blocks) :]:
        axis.remove()
    figure.supxlabel('channel', fontsize=9)
    figure.supylabel('mean activation G(F(x))', fontsize=9)
    handles, labels = axes[0].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc='outside upper center', ncols=5, fontsize=9, frameon=False)
    for line in legend.get_lines():
        line.set(linewidth=2, alpha=1)
    return figure


def _draw_block(axis: 'Axes', means: Mapping[str, np.ndarray]) -> None:
    beside = axis.inset_axes((1.02, 0, 0.2, 1), sharey=axis)
    edges = np.histogram_bin_edges(list(means.values()), 20)
    for label, mean in means.items():
        # the last class would hide the others where 2,048 channels share 400 pixels
        (line,) = axis.plot(mean, label=label, alpha=0.6, linewidth=0.8 if len(mean) < 300 else 0.3)
        beside.stairs(
            np.histogram(mean, edges)[0],
            edges,
            orientation='horizontal',
            color=line.get_color(),
            linewidth=0.8,
            alpha=0.8,
        )
    for drawn in (axis, beside):
        drawn.axhline(1, color='black', linewidth=0.5, zorder=3)
        drawn.tick_params(labelsize=7)
    axis.margins(x=0.01)
    beside.set_xticks([])
    beside.tick_params(labelleft=False)
