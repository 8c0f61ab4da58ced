"""RANet's head, and what it is compared with, on features of CamVid that come from the disk.

Shapes: B batch, h x w the feature map, P = h * w.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.models.decode_heads import FCNHead, NLHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from mmrev.models.decode_heads.region_attention_head import RegionAttentionHead
from mmrev.models.layers.region_attention import boundary_labels
from mmrev.models.layers.regions import Regions
from mmrev.models.layers.regions.construction import best_of_each

from .camvid import CLASSES
from .features import CHANNELS
from .segmentation import HeadOnly, LateStages, seed_classifiers

WIDTH = 64  # channels of every head
REPRESENTATIVES = 8  # as in the paper
SQUARE = 7  # cells; 30 x 40 cells have 30 squares, about as many as a trained RANet has regions


class SquareRegionsHead(RegionAttentionHead):
    """Control: the regions are squares. All layers and losses are those of RANet."""

    def _regions(self, boundary: Tensor, semantic: Tensor) -> Regions:
        regions = squares(boundary.shape[2], boundary.shape[3], len(boundary))
        return Regions(*(part.to(boundary.device) for part in regions))


class GivenRegionsHead(RegionAttentionHead):
    """RANet without its two score maps. The regions are inputs, beside the features. The one loss is that of the mask.

    Shape:
        features [B, C, h, w], labels, scores and representatives [B, P] each -> scores [B, N, h, w].
    """

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        features, labels, scores, chosen = inputs
        visual = self.visual(features)
        context = self._context(visual, Regions(labels.long(), scores, chosen.bool()))
        return self.cls_seg(self._fuse(visual, context))

    def loss(self, inputs: Sequence[Tensor], samples: list[SegDataSample], train_cfg: Any) -> dict[str, Tensor]:
        return BaseDecodeHead.loss_by_feat(self, self(inputs), samples)


class Boundaries(HeadOnly):
    """Mixin: the samples get boundary labels."""

    def loss(self, inputs: Sequence[Tensor], samples: list[SegDataSample]) -> dict[str, Tensor]:
        for sample in samples:
            sample.gt_edge_map = PixelData(data=boundary_labels(sample.gt_sem_seg.data))
        return super().loss(inputs, samples)


class LateStagesWithBoundaries(Boundaries, LateStages):
    """Stages that are trained, with RANet's head."""


class CoarseOnly(nn.Module):
    """The semantic score maps of a RANet, [B, N, h, w]."""

    def __init__(self, model: HeadOnly) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        return self.model.head._maps(self.model.features(inputs))[2]


def region_model(kind: type[RegionAttentionHead], seed: int, **options: Any) -> Boundaries:
    """RANet's head. With one seed, all kinds have the same initial weights."""
    return Boundaries(region_head(kind, seed, **options))


def region_head(
    kind: type[RegionAttentionHead], seed: int, in_channels: int = CHANNELS, **options: Any
) -> BaseDecodeHead:
    """The same without a model around it."""
    return _seeded(kind, seed, in_channels, num_representatives=REPRESENTATIVES, **options)


def fcn_model(seed: int) -> HeadOnly:
    """One 3x3 convolution and the classifier."""
    return HeadOnly(fcn_head(seed))


def fcn_head(seed: int, in_channels: int = CHANNELS) -> BaseDecodeHead:
    """The same without a model around it."""
    return _seeded(FCNHead, seed, in_channels, num_convs=1, concat_input=False)


def non_local_model(seed: int) -> HeadOnly:
    """Two 3x3 convolutions with a non-local block between them, and the classifier."""
    return HeadOnly(_seeded(NLHead, seed, CHANNELS, concat_input=False))


def _seeded(kind: type[BaseDecodeHead], seed: int, in_channels: int, **options: Any) -> BaseDecodeHead:
    torch.manual_seed(seed)
    head = kind(
        in_channels=in_channels,
        channels=WIDTH,
        num_classes=CLASSES,
        in_index=0,
        norm_cfg=dict(type='BN'),
        dropout_ratio=0,
        **options,
    )
    return seed_classifiers(head, seed)


def squares(height: int, width: int, batch: int) -> Regions:
    """Regions that are squares, whatever the image shows. J is 1. The representatives are the cells in their middle.

    Example:
        >>> len(squares(30, 40, 1).labels.unique())
        30
    """
    labels, chosen = _squares(height, width)
    return Regions(labels.expand(batch, -1), torch.ones(batch, height * width), chosen.expand(batch, -1))


@cache
def _squares(height: int, width: int) -> tuple[Tensor, Tensor]:
    down, across = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    labels = (down // SQUARE * SQUARE * width + across // SQUARE * SQUARE).reshape(1, -1)
    middle = (SQUARE - 1) / 2
    nearness = -((down % SQUARE - middle) ** 2 + (across % SQUARE - middle) ** 2).reshape(1, -1)
    return labels, best_of_each(nearness, labels, REPRESENTATIVES)
