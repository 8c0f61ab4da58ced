"""RANet (Shen et al., NeurIPS 2020): what object regions do to a head."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead

from mmrev.engine.checkpoints import read_checkpoint
from mmrev.models.decode_heads.region_attention_head import RegionAttentionHead
from mmrev.models.layers.region_attention import boundary_labels

from .camvid import IGNORED, SPLITS, Split, load_images
from .features import load_features
from .paired import mean_iou
from .protocol import Study
from .region_heads import (
    Boundaries,
    CoarseOnly,
    LateStagesWithBoundaries,
    SquareRegionsHead,
    fcn_head,
    fcn_model,
    non_local_model,
    region_head,
    region_model,
)
from .segmentation import HeadOnly, LateStages, confusions, early_maps, fit, predict
from .sources import Sources

NEAR = 4  # pixels of 320 x 240: closer to another class counts as near a boundary
NEAR_BOUNDARIES, COARSE = 'accuracy near boundaries', 'mIoU of the coarse maps'

MODELS: dict[str, Callable[[int], HeadOnly]] = {
    'FCN': fcn_model,
    'non-local': non_local_model,
    'squares': partial(region_model, SquareRegionsHead),
    # lines without their end points would make one region of a boundary map alone
    'boundary': partial(region_model, RegionAttentionHead, use_semantic=False, end_points=True),
    'semantic': partial(region_model, RegionAttentionHead, use_boundary=False),
    'both': partial(region_model, RegionAttentionHead),
}

TRAINED: dict[str, Callable[[int, int], BaseDecodeHead]] = {
    'squares': partial(region_head, SquareRegionsHead),
    'T = 1': partial(region_head, RegionAttentionHead, temperature=1),
    'T = 0.0625': partial(region_head, RegionAttentionHead),
}


class RegionStudy(Study):
    """A study of RANet's head."""

    measures: ClassVar[Sequence[str]] = ('mIoU', NEAR_BOUNDARIES)
    tuning_seeds = (100,)
    seeds = range(5)

    def __init__(self, sources: Sources, steps: int | None = None) -> None:
        super().__init__(sources, steps)
        self.train_split, self.val, self.test_split = map(self.load, SPLITS)

    @abstractmethod
    def load(self, split: str) -> Split:
        """Opens a split."""

    def validate(self, model: Any) -> float:
        return mean_iou(confusions(predict(model, self.val)[0], self.val.masks).sum(0))

    def test(self, model: Any, method: str, seed: int) -> dict[str, float]:
        return self.scores(model, self.test_split, f'{seed}_{method}')

    def scores(self, model: HeadOnly, split: Split, name: str) -> dict[str, float]:
        """The two measures of labels. The confusion matrices are kept under the name."""
        labels = predict(model, split)[0]
        matrices = confusions(labels, split.masks)
        np.save(self.kept / f'{name}.npy', matrices)
        return {'mIoU': mean_iou(matrices.sum(0)), NEAR_BOUNDARIES: accuracy_near_boundaries(labels, split.masks)}


class FrozenRegionStudy(RegionStudy):
    """A study of RANet's head on the features of a frozen ResNet-50."""

    rates = (8e-3, 1.6e-2, 3.2e-2)
    default_steps = 100

    def load(self, split: str) -> Split:
        return load_features(self.sources.features(), split)


class LearnedRegions(RegionStudy):
    """A study of regions that come from the maps that RANet learns."""

    measures = (*RegionStudy.measures, COARSE)

    @abstractmethod
    def build(self, method: str, seed: int) -> HeadOnly:
        """Returns the model before the training."""

    def train(self, method: str, seed: int, rate: float) -> HeadOnly:
        model = self.build(method, seed).to(self.device)
        fit(model, self.train_split, rate, self.steps, seed)
        return model

    def test(self, model: Any, method: str, seed: int) -> dict[str, float]:
        scores = super().test(model, method, seed)
        if isinstance(model, Boundaries):
            labels = predict(CoarseOnly(model), self.test_split)[0]
            scores[COARSE] = mean_iou(confusions(labels, self.test_split.masks).sum(0))
        return scores


class FrozenRegions(LearnedRegions, FrozenRegionStudy):
    """RANet from nothing, on the features of a frozen ResNet-50. The regions come from the maps that it learns.

    All heads have 64 channels. RANet has more convolutions and more losses than FCN. The control "squares" has all of
    them too, but its regions are squares of 7 x 7 cells, whatever the image shows.

    Hypotheses: the order is that of the paper's table 1: FCN, non-local, boundary, semantic, both. The squares do not
    reach "both". The fine scores are better than the coarse maps (table 4). The gain is larger near boundaries.
    """

    name = 'ranet_frozen'
    title = 'RANet, frozen backbone'
    methods = tuple(MODELS)
    hours = 1.0

    def build(self, method: str, seed: int) -> HeadOnly:
        return MODELS[method](seed)


class TrainedRegions(LearnedRegions):
    """RANet on the later stages of a MobileNetV2, which are trained with it from their ImageNet weights.

    The maps of the first stages, at stride 8, are computed once.

    "T = 1" is the paper's reading of its equation 4, which joins most of an image into one region. "T = 0.0625" is the
    default of RANet's head. The squares are those of the frozen study.

    Hypotheses: the fine scores of T = 0.0625 beat its coarse maps, those of T = 1 do not. T = 0.0625 beats T = 1, the
    squares and FCN. The gains are larger near boundaries.
    """

    name = 'ranet_trained'
    title = 'RANet, later stages of the backbone trained'
    methods = ('FCN', *TRAINED)
    rates = (8e-3, 1.6e-2, 3.2e-2)
    default_steps = 250
    hours = 1.3
    seeds = range(3)

    def __init__(self, sources: Sources, steps: int | None = None) -> None:
        self.weights = read_checkpoint(sources.weights / 'mobilenet_v2_in1k.pth')
        super().__init__(sources, steps)

    def load(self, split: str) -> Split:
        return early_maps(load_images(self.sources.camvid, split, self.sources.limit), self.weights, self.device)

    def build(self, method: str, seed: int) -> HeadOnly:
        channels = LateStages.channels
        if method == 'FCN':
            return LateStages(fcn_head(seed, channels), self.weights)
        return LateStagesWithBoundaries(TRAINED[method](seed, channels), self.weights)


def accuracy_near_boundaries(labels: np.ndarray, masks: np.ndarray) -> float:
    """The share of pixels near a boundary of the ground truth that have the right label, in percent.

    Example:
        >>> accuracy_near_boundaries(np.array([[[0, 0, 0, 1, 1]]]), np.array([[[0, 0, 1, 1, 255]]]))
        75.0
    """
    hits = count = 0
    for predicted, truth in zip(labels, masks, strict=True):
        near = boundary_labels(torch.from_numpy(truth[None]).long(), NEAR, IGNORED)[0].numpy() == 1
        hits += int((predicted == truth)[near].sum())
        count += int(near.sum())
    return 100 * hits / count if count else float('nan')
