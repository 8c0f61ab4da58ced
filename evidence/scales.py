"""Scale attention (Yang and Peng, PCM 2018): what each way to fuse two scales does."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.nn import functional as F

from mmrev.models import MultiScaleEncoderDecoder, ScaleAttentionHead

from .camvid import CLASSES, IGNORED, SPLITS, Split
from .devices import device_of
from .features import CHANNELS, load_features
from .paired import mean_iou
from .protocol import Study
from .segmentation import confusions, fit, predict
from .sources import Sources

FULL, HALF = 1.5, 0.75  # of 320 x 240: CamVid's own 480 x 360, and half of it
SMALLEST = 16  # pixels of an object that counts
ATTENTION_TO_SCALE = dict(multi_stage=False, conv_per_scale=False, recalibration=None)
SMALL_OBJECTS, LARGE_OBJECTS = 'attention to half scale in small objects', 'in large objects'


class CachedScales(MultiScaleEncoderDecoder):
    """The segmentor on feature maps that come from the disk.

    Args:
        chosen: For each scale, the number of the input that is its feature map.
        fusion: As in MultiScaleEncoderDecoder.
    """

    def __init__(self, chosen: Sequence[int], fusion: str | dict) -> None:
        super().__init__(
            backbone=dict(type=nn.Identity),
            decode_head=dict(
                type='mmseg.FCNHead',
                in_channels=CHANNELS,
                in_index=0,
                channels=64,
                num_convs=1,
                concat_input=False,
                dilation=6,
                dropout_ratio=0,
                num_classes=CLASSES,
                loss_decode=dict(type='mmseg.CrossEntropyLoss'),
            ),
            # of no effect here: the maps are there already. The last is the same as the first in the control.
            scales=[1.0, 0.5][: len(chosen)],
            fusion=fusion,
        )
        self.chosen = chosen

    def features_at(self, inputs: Sequence[Tensor], index: int) -> Sequence[Tensor]:
        return (inputs[self.chosen[index]],)


def _attention(**options) -> dict:
    return dict(
        type='mmrev.ScaleAttentionHead',
        in_channels=CHANNELS,
        num_classes=CLASSES,
        dilations=(6, 1),
        scale_channels=64,
        channels=64,
        **options,
    )


FUSIONS: dict[str, tuple[Sequence[int], str | dict]] = {
    'one scale': ((0,), 'max'),
    'max': ((0, 1), 'max'),
    'average': ((0, 1), 'avg'),
    'Attention-to-Scale': ((0, 1), _attention(**ATTENTION_TO_SCALE)),
    'with recalibration': ((0, 1), _attention(multi_stage=False)),
    'full scale twice': ((0, 0), _attention(multi_stage=False)),
}


class FrozenScales(Study):
    """Ways to fuse the scores of two scales, 480 x 360 and half of it, on the features of a frozen ResNet-50.

    The control "full scale twice" has all of the attention and the recalibration, but sees one scale. Labels are scored
    at 320 x 240.

    Hypotheses: the order is that of the paper's table 1: one scale, then max and average, then Attention-to-Scale, then
    that with recalibration. The control does not reach it. The attention to half scale is higher in large objects.
    """

    name = 'scale_attention_frozen'
    title = 'Scale attention, frozen backbone'
    methods = tuple(FUSIONS)
    rates = (1e-3, 2e-3, 4e-3)
    measures = ('mIoU', SMALL_OBJECTS, LARGE_OBJECTS)
    default_steps = 300
    hours = 1.6
    tuning_seeds = (100,)
    seeds = range(5)

    def __init__(self, sources: Sources, steps: int | None = None) -> None:
        super().__init__(sources, steps)
        features = sources.features((1.0, HALF, FULL))
        self.train_split, self.val, self.test_split = (load_features(features, split, (FULL, HALF)) for split in SPLITS)

    def train(self, method: str, seed: int, rate: float) -> CachedScales:
        chosen, fusion = FUSIONS[method]
        torch.manual_seed(seed)
        model = CachedScales(chosen, fusion)
        if isinstance(model.fusion, ScaleAttentionHead):
            model.fusion.init_weights()
        fit(model.to(self.device), self.train_split, rate, self.steps, seed)
        return model

    def validate(self, model: CachedScales) -> float:
        return mean_iou(confusions(predict(model, self.val)[0], self.val.masks).sum(0))

    def test(self, model: CachedScales, method: str, seed: int) -> dict[str, float]:
        matrices = confusions(predict(model, self.test_split)[0], self.test_split.masks)
        np.save(self.kept / f'{seed}_{method}.npy', matrices)
        scores = {'mIoU': mean_iou(matrices.sum(0))}
        if model.attends and len(set(model.chosen)) > 1:
            scores |= attention_by_size(model, self.test_split)
        return scores


@torch.no_grad()
def attention_by_size(model: CachedScales, split: Split) -> dict[str, float]:
    """The mean attention to the half scale in the smallest and in the largest quarter of the objects, in percent.

    An object is a connected component of one class in the ground truth.
    """
    model.eval()
    sizes, weights = [], []
    for number in range(len(split)):
        inputs, masks = split.batch(torch.tensor([number]), device_of(model))
        attention = model.attention_maps(inputs).attention
        half = F.interpolate(attention, masks.shape[1:], mode='bilinear', align_corners=False)[0, 1].cpu().numpy()
        for size, weight in _objects(masks[0].cpu().numpy(), half):
            sizes.append(size)
            weights.append(weight)
    low, high = np.quantile(sizes, [0.25, 0.75])
    pairs = list(zip(sizes, weights, strict=True))
    return {
        SMALL_OBJECTS: 100 * float(np.mean([weight for size, weight in pairs if size <= low])),
        LARGE_OBJECTS: 100 * float(np.mean([weight for size, weight in pairs if size >= high])),
    }


def _objects(mask: np.ndarray, values: np.ndarray) -> list[tuple[int, float]]:
    """The size in pixels, and the mean value, of each object."""
    found = []
    for label in set(np.unique(mask)) - {IGNORED}:
        components, count = ndimage.label(mask == label)
        numbers = range(1, count + 1)
        sizes = ndimage.sum_labels(np.ones_like(values), components, numbers)
        means = ndimage.mean(values, components, numbers)
        found += [(int(size), float(mean)) for size, mean in zip(sizes, means, strict=True) if size >= SMALLEST]
    return found
