"""Figure 2 of RAN: the filters of the last feature map that respond to two classes.

Shapes: B batch, C filters, h x w the feature map.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .samples import Sample, inputs_of


@dataclass(frozen=True)
class FilterGroups:
    """The indices of the filters that respond to both classes, or to only one of them."""

    both: np.ndarray
    first: np.ndarray
    second: np.ndarray


def normalized_responses(features: np.ndarray, labels: np.ndarray, label: int) -> np.ndarray:
    """Computes the response of each filter to a class: its sum over the pixels of the class, divided by their number.

    Args:
        features: The last feature map, [C, h, w].
        labels: A label map of the same size, [h, w].
        label: The class.

    Returns:
        The responses [C]. They are zero if the class has no pixel.

    Reading: The paper does not say by which area it divides. We take the area of the class.

    Example:
        >>> normalized_responses(np.array([[[1.0, 3.0, 8.0]]]), np.array([[5, 5, 0]]), label=5)
        array([2.])
    """
    area = labels == label
    return features[:, area].sum(1) / max(area.sum(), 1)


@torch.no_grad()
def mean_responses(samples: Sequence[Sample], pair: tuple[int, int]) -> list[np.ndarray]:
    """Computes the mean response of each filter to two classes, for the feature map that the last model classifies.

    Args:
        samples: The samples. A class takes the mean over the images that contain it.
        pair: The two classes.

    Returns:
        The responses [C] to each class. They are zero if no image contains the class.
    """
    found: tuple[list, list] = ([], [])
    head = samples[0].model.decode_head
    channels = 0
    for sample in samples:
        features = classified_map(head, sample.model.extract_feat(inputs_of(sample)))
        channels = features.shape[1]
        truth = torch.from_numpy(sample.truth)[None, None].float()
        labels = F.interpolate(truth, features.shape[2:], mode='nearest')[0, 0].numpy()
        for label, responses in zip(pair, found, strict=True):
            if (labels == label).any():
                responses.append(normalized_responses(features[0].cpu().numpy(), labels, label))
    return [np.mean(responses, 0) if responses else np.zeros(channels) for responses in found]


def classified_map(head: nn.Module, features: Sequence[Tensor]) -> Tensor:
    """Returns the feature map [B, C, h, w] that a head with a reverse branch classifies.

    Example:
        >>> from mmrev.models import ReverseAttentionHead
        >>> head = ReverseAttentionHead(in_channels=8, num_classes=5)
        >>> classified_map(head, [torch.zeros(1, 4, 8, 8), torch.zeros(1, 8, 4, 4)]).shape
        torch.Size([1, 8, 4, 4])
    """
    classifier: Any = head.conv_org if hasattr(head, 'conv_org') else head.conv_seg
    seen: list[Tensor] = []
    with classifier.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0])):
        head(features)
    return seen[0]


def group_filters(first: np.ndarray, second: np.ndarray, threshold: float) -> FilterGroups:
    """Groups the filters with a response [C] above ``threshold`` to at least one class.

    Example:
        >>> groups = group_filters(np.array([5, 5, 0]), np.array([5, 0, 0]), threshold=1)
        >>> groups.both, groups.first, groups.second
        (array([0]), array([1]), array([], dtype=int64))
    """
    high_first, high_second = first > threshold, second > threshold
    return FilterGroups(
        both=np.flatnonzero(high_first & high_second),
        first=np.flatnonzero(high_first & ~high_second),
        second=np.flatnonzero(high_second & ~high_first),
    )


def strongest(responses: Sequence[np.ndarray], count: int = 20) -> float:
    """Returns a threshold that about ``count`` filters exceed for at least one class.

    The paper shows about 20 of 2,048 filters.

    Example:
        >>> strongest([np.arange(100.0), np.zeros(100)], count=20)
        79.0
    """
    highest = np.sort(np.max(responses, axis=0))
    return float(highest[-min(count, len(highest) // 2) - 1])


def draw_filter_responses(
    path: str | Path, responses: Sequence[np.ndarray], names: Sequence[str], threshold: float
) -> Path:
    """Draws bars of the responses above a threshold, coloured by group as in the paper.

    Args:
        path: The file to write.
        responses: The responses [C] to each of the two classes.
        names: The names of the two classes.
        threshold: The threshold.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), 'filters.png')
        >>> draw_filter_responses(path, [np.arange(9.0), np.ones(9)], ['cow', 'horse'], threshold=4).name
        'filters.png'
    """
    from matplotlib.figure import Figure

    first, second = responses
    groups = group_filters(first, second, threshold)
    figure = Figure(figsize=(9, 4), layout='constrained')
    axes = figure.subplots(2, 1, sharex=True)
    for axis, values, name, own, color in zip(
        axes, responses, names, (groups.first, groups.second), ('tab:purple', 'tab:brown'), strict=True
    ):
        for indices, shade, group in ((groups.both, 'tab:red', 'both'), (own, color, f'{name} only')):
            if len(indices):
                width, label = max(1, len(values) / 300), f'{group}: {len(indices)} filters'
                axis.bar(indices, values[indices], width=width, color=shade, label=label)
        axis.axhline(threshold, color='grey', linewidth=0.5)
        axis.set_ylim(bottom=0)
        axis.set_ylabel(f'response to {name}')
        axis.legend(fontsize=7)
    axes[-1].set_xlabel('filter')
    axes[-1].set_xlim(-1, len(first))
    figure.savefig(path, dpi=150)
    return Path(path)
