"""Figure 2 of RAN: which filters of the last feature map answer to which of two classes.

Shapes: C filters, h x w the feature map.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from .samples import Sample, inputs_of


@dataclass(frozen=True)
class FilterGroups:
    """Indices of the filters that respond to both classes, or to one of them only."""

    both: np.ndarray
    first: np.ndarray
    second: np.ndarray


def normalized_responses(features: np.ndarray, labels: np.ndarray, label: int) -> np.ndarray:
    """The response of each filter to a class: its sum over the class's pixels, per unit of their area.

    Args:
        features: The last feature map, [C, h, w].
        labels: Label map of the same size, [h, w].
        label: The class.

    Returns:
        [C]; zero if the class has no pixel. Reading: the paper does not say which area; it is the class's own.
    """
    area = labels == label
    return features[:, area].sum(1) / max(area.sum(), 1)


@torch.no_grad()
def mean_responses(samples: Sequence[Sample], pair: tuple[int, int]) -> list[np.ndarray]:
    """Normalised responses [C] to two classes of the filters of the map that the last model classifies, each the mean
    over the images that hold the class, zero if none does."""
    found: tuple[list, list] = ([], [])
    head = samples[0].model.decode_head
    for sample in samples:
        features = head._transform_inputs(sample.model.extract_feat(inputs_of(sample)))
        truth = torch.from_numpy(sample.truth)[None, None].float()
        labels = F.interpolate(truth, features.shape[2:], mode='nearest')[0, 0].numpy()
        for label, responses in zip(pair, found, strict=True):
            if (labels == label).any():
                responses.append(normalized_responses(features[0].cpu().numpy(), labels, label))
    return [np.mean(responses, 0) if responses else np.zeros(head.in_channels) for responses in found]


def group_filters(first: np.ndarray, second: np.ndarray, threshold: float) -> FilterGroups:
    """Splits the filters whose response [C] to either class is above ``threshold``."""
    high_first, high_second = first > threshold, second > threshold
    return FilterGroups(
        both=np.flatnonzero(high_first & high_second),
        first=np.flatnonzero(high_first & ~high_second),
        second=np.flatnonzero(high_second & ~high_first),
    )


def strongest(responses: Sequence[np.ndarray], count: int = 20) -> float:
    """The threshold that about ``count`` filters exceed for at least one class; the paper shows about 20 of 2,048."""
    highest = np.sort(np.max(responses, axis=0))
    return float(highest[-min(count, len(highest) // 2) - 1])


def draw_filter_responses(
    path: str | Path, responses: Sequence[np.ndarray], names: Sequence[str], threshold: float
) -> Path:
    """Bars of the responses [C] to two classes above a threshold, coloured by group as in the paper."""
    from matplotlib.figure import Figure

    groups = group_filters(*responses, threshold)
    figure = Figure(figsize=(9, 4), layout='constrained')
    axes = figure.subplots(2, 1, sharex=True)
    for axis, values, name, own, color in zip(
        axes, responses, names, (groups.first, groups.second), ('tab:purple', 'tab:brown'), strict=True
    ):
        for indices, shade, label in ((groups.both, 'tab:red', 'both'), (own, color, f'{name} only')):
            if len(indices):
                axis.bar(
                    indices,
                    values[indices],
                    width=max(1, len(values) / 300),
                    color=shade,
                    label=f'{label}: {len(indices)} filters',
                )
        axis.axhline(threshold, color='grey', linewidth=0.5)
        axis.set_ylim(bottom=0)
        axis.set_ylabel(f'response to {name}')
        axis.legend(fontsize=7)
    axes[-1].set_xlabel('filter')
    axes[-1].set_xlim(-1, len(responses[0]))
    figure.savefig(path, dpi=150)
    return Path(path)
