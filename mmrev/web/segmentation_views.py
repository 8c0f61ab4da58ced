"""The maps of RAN, scale attention and RANet for one picture.

Shapes: N classes, S scales, H x W the input of the network, h x w the picture on the page, h' x w' a feature map.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmrev.models.decode_heads.region_attention_head import RegionAttentionHead
from mmrev.models.decode_heads.reverse_attention_head import BranchScores, ReverseAttentionHead
from mmrev.models.decode_heads.reverse_attention_wrapper import ReverseAttentionWrapper
from mmrev.visualization.ran_figures import attention_of, branch_scores
from mmrev.visualization.ranet_figures import region_maps
from mmrev.visualization.region_pictures import nearest, region_picture
from mmrev.visualization.samples import Sample, at_image_size

from .pictures import heat
from .views import Opened, Picture, View

SCALE_OF_COLORS = 'Dark is 0, bright is 1.'


class ReverseAttention(View):
    """RAN's reverse attention to a class, between the probabilities without it and with it."""

    title = 'Reverse attention'
    text = (
        'RAN subtracts what it has learned about "not this class" where the reverse attention is bright: where the '
        f'original branch is unsure of the class. Before and after it stand the probabilities. {SCALE_OF_COLORS}'
    )

    def __init__(self, choices: Sequence[str]) -> None:
        self.choices = choices

    def compute(self, opened: Opened) -> BranchScores:
        return branch_scores(opened.model, opened.inputs)

    def pictures(self, opened: Opened, computed: BranchScores, choice: int) -> list[Picture]:
        name = self.choices[choice]
        maps = {
            f'{name}: before': probabilities(computed.original),
            f'{name}: reverse attention': attention_of(opened.model, computed),
            f'{name}: after': probabilities(first_map(computed.combined)),
        }
        drawn = [(heat(on_page(opened, values[:, [choice]])[0]), caption) for caption, values in maps.items()]
        return [(opened.picture, 'picture'), *drawn]


class ScaleAttention(View):
    """The attention to each scale, and the recalibration of a class if the model has it."""

    title = 'Scale attention'
    text = f'The weight of each input scale at each pixel. The sum over the scales is 1. {SCALE_OF_COLORS}'

    def __init__(self, recalibration: str | None, choices: Sequence[str]) -> None:
        self.recalibration = recalibration
        self.choices = choices if recalibration else ()

    @torch.no_grad()
    def compute(self, opened: Opened) -> Any:
        return opened.model.attention_maps(opened.inputs)

    def pictures(self, opened: Opened, computed: Any, choice: int) -> list[Picture]:
        maps = on_page(opened, computed.attention)
        drawn = [(heat(values), f'scale {scale:g}') for scale, values in zip(opened.model.scales, maps, strict=True)]
        if self.recalibration:
            factors = computed.recalibration[:, [choice]]
            added = self.recalibration == 'add'
            caption = f'{self.choices[choice]}: recalibration{" (sigmoid of the bias)" if added else ""}'
            drawn.append((heat(on_page(opened, factors.sigmoid() if added else factors)[0]), caption))
        return [(opened.picture, 'picture'), *drawn]


class Regions(View):
    """RANet's object regions with their representatives, and the scores that choose them."""

    title = 'Regions'
    text = (
        'RANet exchanges context inside of a region (one colour), and between the representatives of all regions '
        '(green dots). Grey pixels belong to fragments. The score J of equation 5 chooses the representatives.'
    )

    def compute(self, opened: Opened) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return region_maps(sample_of(opened))

    def pictures(self, opened: Opened, computed: tuple[np.ndarray, ...], choice: int) -> list[Picture]:
        labels, scores, representatives = computed
        drawn = region_picture(opened.picture, labels, representatives)
        caption = f'{len(np.unique(labels))} regions, {int(representatives.sum())} representatives'
        return [(drawn, caption), (heat(nearest(scores, opened.picture.shape[:2])), 'score J')]


def segmentation_views(model: Any, names: Sequence[str]) -> list[View]:
    """Returns the views of the methods that a model of mmsegmentation has."""
    head: Any = getattr(model, 'decode_head', None)
    views: list[View] = []
    # without attention there is nothing to see: it is 1 everywhere
    if reverse_mode(head) not in (None, 'dual'):
        views.append(ReverseAttention(map_names(names, head.out_channels)))
    if getattr(model, 'attends', False):
        views.append(ScaleAttention(model.fusion.recalibration, map_names(names, model.fusion.num_classes)))
    if isinstance(head, RegionAttentionHead):
        views.append(Regions())
    return views


def reverse_mode(head: Any) -> str | None:
    """Returns the mode of a head with reverse attention, and None for any other."""
    if isinstance(head, ReverseAttentionWrapper):
        return head.reverse_mode
    return head.mode if isinstance(head, ReverseAttentionHead) else None


def map_names(names: Sequence[str], maps: int) -> list[str]:
    """Names the score maps: one map alone is that of the last class.

    Example:
        >>> map_names(['sky', 'road'], 2), map_names(['other', 'road'], 1)
        (['sky', 'road'], ['road'])
    """
    return list(names[-maps:]) if len(names) >= maps else [f'map {index}' for index in range(maps)]


def first_map(output: Any) -> Tensor:
    """Returns the class scores of a head's output: some heads return more maps after them.

    Example:
        >>> first_map((torch.zeros(1), torch.ones(1))).item()
        0.0
    """
    while not isinstance(output, Tensor):
        output = output[0]
    return output


def probabilities(scores: Tensor) -> Tensor:
    """Turns scores [1, N, h', w'] into probabilities. A single map has a sigmoid.

    Example:
        >>> probabilities(torch.zeros(1, 4, 1, 1)).ravel().tolist(), probabilities(torch.zeros(1, 1, 1, 1)).item()
        ([0.25, 0.25, 0.25, 0.25], 0.5)
    """
    return scores.softmax(1) if scores.shape[1] > 1 else scores.sigmoid()


def sample_of(opened: Opened) -> Sample:
    """Makes a sample as the papers' figures take it, at the size of the page and without a ground truth."""
    return Sample(opened.picture, np.zeros(opened.picture.shape[:2]), (), opened.item, opened.model)


def on_page(opened: Opened, maps: Tensor) -> np.ndarray:
    """Resizes maps [1, K, h', w'] to the page: [K, h, w]."""
    return at_image_size(sample_of(opened), maps.float())
