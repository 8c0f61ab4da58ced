"""Figure 5 of RA-Net (2024): the activations G(F(x)) of reverse attention, for each class and block.

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

# the path of a block: a stage, counted from 1 or from 0 or absent, and the block, counted from 0
_BLOCK = re.compile(r'(?:layer(?P<from_1>\d+)|stages\.(?P<from_0>\d+)(?:\.blocks)?|layers)\.(?P<block>\d+)')
_GATE = re.compile(r'\.(addition|reverse_attention\.\d+)\.gate$')


class ChannelStatistics:
    """Mean and standard deviation [C] over the images of several batches.

    Attributes:
        images: The number of images so far.
        mean: The mean so far [C]; 0 before the first batch.

    Example:
        >>> statistics = ChannelStatistics()
        >>> statistics.add(np.array([[0.0, 1.0], [2.0, 1.0]]))
        >>> statistics.add(np.array([[4.0, 4.0]]))
        >>> statistics.images, statistics.mean.tolist(), statistics.std.round(3).tolist()
        (3, [2.0, 2.0], [1.633, 1.414])
    """

    def __init__(self) -> None:
        self.images, self.mean, self._squares = 0, np.zeros(()), np.zeros(())

    def add(self, values: np.ndarray) -> None:
        """Adds a batch [B, C], with the pairwise update of Chan, Golub and LeVeque (1979)."""
        mean = values.mean(0)
        images, shift = self.images + len(values), mean - self.mean
        self._squares = self._squares + ((values - mean) ** 2).sum(0) + shift**2 * self.images * len(values) / images
        self.mean = self.mean + shift * len(values) / images
        self.images = images

    @property
    def std(self) -> np.ndarray:
        """The standard deviation of these images: it divides by their number, and is no estimate for other images."""
        return np.sqrt(self._squares / self.images)


# class -> block -> statistics
Activations = Mapping[str, Mapping[str, ChannelStatistics]]


def named_gates(network: nn.Module) -> dict[str, ModifiedGRN]:
    """Finds the gates of a network and names them by their block.

    The names are the paper's: ``RA_2_3`` is the third block of the second stage. The stem is stage 1. So ``layer1`` of
    ResNet and MobileNetV2 and ``stages.0`` of ConvNeXt and Swin are stage 2. All blocks of ViT are stage 2. If a block
    has two branches (attention, then feed-forward), the number of the branch follows: ``RA_2_3_1``. A block of any
    other network is named by its path.

    Returns:
        The gates by name, in the order of depth. Empty if the network has none.

    Example:
        >>> from mmrev.models import RAResNet
        >>> list(named_gates(RAResNet(depth=18)))[:3]
        ['RA_2_1', 'RA_2_2', 'RA_3_1']
    """
    gates = {path: module for path, module in network.named_modules() if isinstance(module, ModifiedGRN)}
    in_block = Counter(_GATE.sub('', path) for path in gates)
    seen: Counter[str] = Counter()
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
    """Collects the activations of a network's gates on the images of one class.

    Args:
        network: The network, in evaluation mode.
        gates: The gates of the network by name, see :func:`named_gates`.
        batches: Inputs of the network. Their first dimension is the batch.

    Returns:
        The statistics of each gate by name.

    Raises:
        CheckpointError: An activation is not finite.

    Example:
        >>> from mmrev.models import RAResNet
        >>> network = RAResNet(depth=18, base_channels=4, stem_channels=4).eval()
        >>> found = collect(network, named_gates(network), [torch.randn(2, 3, 32, 32)])
        >>> found['RA_2_1'].images, found['RA_2_1'].mean.tolist()
        (2, [1.0, 1.0, 1.0, 1.0])
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
    """Writes a CSV file with one row for each class, block and channel: number of images, mean, standard deviation.

    Returns:
        The path.

    Example:
        >>> import tempfile
        >>> statistics = ChannelStatistics()
        >>> statistics.add(np.ones((2, 1)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(write_activations(f'{folder}/a.csv', {'cat': {'RA_2_1': statistics}}).read_text())
        class,block,channel,images,mean,std
        cat,RA_2_1,0,2,1,0
    """
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
    """Writes the figure of :func:`activations_figure` to a picture file.

    Returns:
        The path.

    Example:
        >>> import tempfile
        >>> statistics = ChannelStatistics()
        >>> statistics.add(np.ones((2, 4)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     draw_activations(f'{folder}/a.png', {'cat': {'RA_2_1': statistics}}).is_file()
        True
    """
    activations_figure(activations).savefig(path, dpi=200)
    return Path(path)


def activations_figure(activations: Activations) -> 'Figure':
    """Draws figure 5: one panel for each block, with one line of mean activations for each class.

    The distribution of the mean activations stands at the right of each panel.

    Example:
        >>> statistics = ChannelStatistics()
        >>> statistics.add(np.ones((2, 4)))
        >>> [axis.get_title() for axis in activations_figure({'cat': {'RA_2_1': statistics}}).axes]
        ['RA_2_1']
    """
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
        # thin lines, because 2,048 channels share 400 pixels and the last class would hide the others
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
