"""RANet (Shen et al., NeurIPS 2020): how good the coarse maps must be for object regions to pay.

Shapes: I images, N classes, H x W the image, h x w the feature map, P = h * w.
"""

from collections.abc import Callable, Sequence
from functools import cache, cached_property, partial
from typing import Any, NamedTuple

import numpy as np
import torch
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.nn import functional as F

from mmrev.models.layers.region_attention import boundary_labels
from mmrev.models.layers.region_layers import RegionScores
from mmrev.models.layers.regions import Regions, region_construction

from .camvid import CLASSES, IGNORED, Split
from .devices import device_of
from .region_heads import REPRESENTATIVES, Boundaries, GivenRegionsHead, fcn_model, region_model, squares
from .regions import NEAR_BOUNDARIES, FrozenRegionStudy
from .segmentation import BATCH, HeadOnly, fit
from .sources import Sources

TEMPERATURE = 1 / 16  # the default of RANet's head
COARSE_RATE, COARSE_SEED = 1.6e-2, 1000
WINDOW = 5  # cells, over which "blurred truth" is averaged
ACCURACY, PURITY = 'accuracy of the maps', 'purity of the regions'


class Maps(NamedTuple):
    """The inputs of region construction.

    Args:
        boundary: Boundary scores in [0, 1], [I, h, w].
        classes: Class probabilities, [I, N, h, w].
    """

    boundary: Tensor
    classes: Tensor


Degrade = Callable[[Maps, Maps], Maps]  # of the true maps and the predicted ones


def mixed(share: float) -> Degrade:
    """A share of the truth, and the rest of the prediction."""
    return lambda truth, predicted: Maps(
        *(share * ours + (1 - share) * theirs for ours, theirs in zip(truth, predicted, strict=True))
    )


def blurred(truth: Maps, predicted: Maps) -> Maps:
    def average(maps: Tensor) -> Tensor:
        return F.avg_pool2d(maps, WINDOW, 1, WINDOW // 2, count_include_pad=False)

    return Maps(*map(average, truth))


def of_another_image(truth: Maps, predicted: Maps) -> Maps:
    """Neighbours in CamVid are frames of one drive, so the other image is half of the split away."""
    return Maps(*(maps.roll(len(maps) // 2, 0) for maps in predicted))


DEGRADED: dict[str, Degrade] = {
    'another image': of_another_image,
    'predicted': mixed(0),
    'blurred truth': blurred,
    '25 % truth': mixed(0.25),
    'truth': mixed(1),
}


class ScoreMapsHead(GivenRegionsHead):
    """RANet's boundary and semantic score maps alone, with their losses. The semantic loss counts twice."""

    def forward_branches(self, inputs: Sequence[Tensor]) -> RegionScores:
        _, boundary, semantic = self._maps(inputs)
        return RegionScores(semantic, semantic, boundary)

    def loss(self, inputs: Sequence[Tensor], samples: list[SegDataSample], train_cfg: Any) -> dict[str, Tensor]:
        return self.loss_by_feat(self.forward_branches(inputs), samples)


class DegradedRegions(FrozenRegionStudy):
    """RANet's head with regions from maps of known quality, from another image's maps to the ground truth.

    The predicted maps are those of RANet's two score maps, trained alone and once, with a seed that no other run has.
    "25 % truth" is a quarter of the truth and three quarters of the prediction. The regions are not learned. The head
    has the convolutions of RANet behind them, and one loss, as FCN has. With the truth, the head sees borders of
    objects that a real network does not know: this is the most that regions can give.

    Hypotheses: the gain over FCN rises with the accuracy of the maps. The truth gains most, and more near boundaries.
    Predicted maps gain less than a quarter of that. Regions of another image do not beat squares.
    """

    name = 'ranet_degraded'
    title = 'RANet with maps of known quality, frozen backbone'
    methods = ('FCN', 'squares', *DEGRADED)
    measures = ('mIoU', NEAR_BOUNDARIES, ACCURACY, PURITY)
    hours = 0.8

    def __init__(self, sources: Sources, steps: int | None = None) -> None:
        super().__init__(sources, steps)
        self.with_regions, self.predicted = cache(self._with_regions), cache(self._predicted)

    def train(self, method: str, seed: int, rate: float) -> tuple[HeadOnly, str]:
        model = fcn_model(seed) if method == 'FCN' else region_model(GivenRegionsHead, seed)
        fit(model.to(self.device), self.with_regions('train', method), rate, self.steps, seed)
        return model, method

    def validate(self, trained: tuple[HeadOnly, str]) -> float:
        model, method = trained
        return self.scores(model, self.with_regions('val', method), f'val_{method}')['mIoU']

    def test(self, trained: tuple[HeadOnly, str], method: str, seed: int) -> dict[str, float]:
        split = self.with_regions('test', method)
        found = self.scores(trained[0], split, f'{seed}_{method}')
        if method != 'FCN':
            found[PURITY] = purity(torch.from_numpy(split.inputs[1]), self.cells('test').flatten(1))
        if method in DEGRADED:
            found[ACCURACY] = self.accuracy(method)
        return found

    def accuracy(self, method: str) -> float:
        """The share of the test images' cells whose likeliest class is the true one, in percent."""
        cells = self.cells('test')
        known = cells != IGNORED
        return 100 * float((self.maps('test', method).classes.argmax(1) == cells)[known].float().mean())

    def _with_regions(self, name: str, method: str) -> Split:
        """The split with the regions of a method as further inputs."""
        split = self.split(name)
        if method == 'FCN':
            return split
        if method == 'squares':
            height, width = split.inputs[0].shape[2:]
            regions = squares(height, width, len(split))
        else:
            regions = regions_of(self.maps(name, method))
        return Split([*split.inputs, *(part.numpy() for part in regions)], split.masks)

    def maps(self, name: str, method: str) -> Maps:
        predicted = self.predicted(name)
        return DEGRADED[method](true_maps(self.split(name), predicted), predicted)

    def _predicted(self, name: str) -> Maps:
        return predicted_maps(self.coarse_model, self.split(name))

    @cached_property
    def coarse_model(self) -> Boundaries:
        model = region_model(ScoreMapsHead, COARSE_SEED).to(self.device)
        fit(model, self.train_split, COARSE_RATE, self.steps, COARSE_SEED)
        return model

    def cells(self, name: str) -> Tensor:
        """The true class of each cell, [I, h, w]."""
        split = self.split(name)
        return cell_classes(split.masks, split.inputs[0].shape[2:])

    def split(self, name: str) -> Split:
        return dict(train=self.train_split, val=self.val, test=self.test_split)[name]


@torch.no_grad()
def predicted_maps(model: Boundaries, split: Split) -> Maps:
    model.eval()
    parts = []
    for start in range(0, len(split), BATCH):
        inputs, _ = split.batch(torch.arange(start, min(start + BATCH, len(split))), device_of(model))
        scores = model.head.forward_branches(inputs)
        parts.append(Maps(scores.boundary[:, 0].sigmoid().cpu(), scores.semantic.softmax(1).cpu()))
    return Maps(*map(torch.cat, zip(*parts, strict=True)))


def true_maps(split: Split, predicted: Maps) -> Maps:
    """The share of boundary pixels in each cell, and the class in its middle. Unknown classes are predicted ones."""
    height, width = predicted.boundary.shape[1:]
    masks = torch.from_numpy(np.asarray(split.masks)).long()
    edges = torch.cat([boundary_labels(mask[None]) == 1 for mask in masks])
    cells = cell_classes(split.masks, (height, width))
    classes = F.one_hot(cells.clamp(max=CLASSES - 1), CLASSES).permute(0, 3, 1, 2).float()
    known = (cells != IGNORED)[:, None]
    return Maps(
        F.adaptive_avg_pool2d(edges[:, None].float(), (height, width))[:, 0],
        torch.where(known, classes, predicted.classes),
    )


def cell_classes(masks: np.ndarray, size: Sequence[int]) -> Tensor:
    """The class in the middle of each cell, [I, h, w] int64."""
    down, across = (
        ((np.arange(cells) + 0.5) * pixels / cells).astype(int)
        for cells, pixels in zip(size, masks.shape[1:], strict=True)
    )
    return torch.from_numpy(masks[:, down[:, None], across]).long()


def regions_of(maps: Maps) -> Regions:
    """The regions of all images, one by one."""
    construct = partial(region_construction, num_representatives=REPRESENTATIVES, temperature=TEMPERATURE)
    found = [construct(boundary[None], classes[None]) for boundary, classes in zip(*maps, strict=True)]
    return Regions(*map(torch.cat, zip(*found, strict=True)))


def purity(labels: Tensor, classes: Tensor) -> float:
    """The share of cells whose true class is the most frequent one of their region, in percent.

    Args:
        labels: The region of each cell, [I, P].
        classes: The true class of each cell, [I, P].

    Example:
        >>> purity(torch.tensor([[0, 0, 0, 3]]), torch.tensor([[1, 1, 2, IGNORED]]))
        66.66...
    """
    hits = count = 0
    for regions, truth in zip(labels, classes, strict=True):
        known = truth != IGNORED
        table = torch.zeros(len(regions), CLASSES, dtype=torch.long)
        table.index_put_((regions[known], truth[known]), torch.tensor(1), accumulate=True)
        hits += int(table.max(1).values.sum())
        count += int(known.sum())
    return 100 * hits / count
