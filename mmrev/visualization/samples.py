"""What trained models say of the items of a data set, and which of these are worth a row in a figure.

Shapes: N classes, K maps, H x W the image, h x w the feature map.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import mmcv
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmseg.models import EncoderDecoder
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.nn import functional as F

from mmrev.errors import ConfigError

from .overlay import overlay


@dataclass(frozen=True)
class Sample:
    """One image and what is known and predicted of it; label maps are [H, W]."""

    image: np.ndarray  # [H, W, 3] uint8 RGB
    truth: np.ndarray
    predictions: tuple[np.ndarray, ...]  # one a model
    item: dict  # as the data set gives it
    model: EncoderDecoder  # the last one: its maps are drawn, and made only of the samples that are


def look(item: dict, models: Sequence[EncoderDecoder]) -> Sample:
    """What the models predict of one item of a data set."""
    predictions = tuple(predict(item, model).pred_sem_seg.data[0].cpu().numpy() for model in models)
    return replace(sample_of(item, models[-1]), predictions=predictions)


def sample_of(item: dict, model: EncoderDecoder) -> Sample:
    """One item of a data set before anything is predicted."""
    data = item['data_samples']
    if 'gt_sem_seg' not in data:
        raise ConfigError(f'{data.img_path} has no mask to draw: give the config whose test images have some')
    return Sample(
        image=mmcv.imread(data.img_path, channel_order='rgb'),
        truth=data.gt_sem_seg.data[0].numpy(),
        predictions=(),
        item=item,
        model=model,
    )


def spread(length: int, count: int) -> list[int]:
    """At most ``count`` indices below ``length``, evenly apart."""
    return np.unique(np.linspace(0, length - 1, min(count, length)).astype(int)).tolist()


@torch.no_grad()
def predict(item: dict, model: EncoderDecoder) -> SegDataSample:
    """The model's own prediction, by its test config."""
    batch = model.data_preprocessor(pseudo_collate([item]))
    return model.predict(batch['inputs'], batch['data_samples'])[0]


def inputs_of(sample: Sample) -> Tensor:
    """The whole image as its model takes it, [1, 3, H', W'], also where the test config slides a window over it."""
    return sample.model.data_preprocessor(pseudo_collate([sample.item]))['inputs']


def at_image_size(sample: Sample, maps: Tensor) -> np.ndarray:
    """Maps [1, K, h, w] of the sample's model, resized to the image bilinearly: [K, H, W]."""
    resized = F.interpolate(maps, sample.truth.shape, mode='bilinear', align_corners=sample.model.align_corners)
    return resized[0].cpu().numpy()


def most_confused(samples: Sequence[Sample], num_classes: int, leave_out: Sequence[int] = ()) -> tuple[int, int]:
    """The two classes that the first model takes for each other most, relative to the rarer one's pixels."""
    counts = np.zeros((num_classes, num_classes))
    for sample in samples:
        known = sample.truth < num_classes
        np.add.at(counts, (sample.truth[known], sample.predictions[0][known]), 1)
    pixels = counts.sum(1)
    mutual = (counts + counts.T) / np.maximum(np.minimum.outer(pixels, pixels), 1)
    mutual[np.tril_indices(num_classes)] = -1
    mutual[list(leave_out)] = -1
    mutual[:, list(leave_out)] = -1
    first, second = np.unravel_index(mutual.argmax(), mutual.shape)
    return int(first), int(second)


def by_confusion(samples: Sequence[Sample], pair: tuple[int, int]) -> list[Sample]:
    """The samples, those first in which the first model takes most pixels of one class for the other."""

    def mistaken(sample: Sample) -> int:
        return sum(int(np.sum((sample.truth == a) & (sample.predictions[0] == b))) for a, b in (pair, pair[::-1]))

    return sorted(samples, key=mistaken, reverse=True)


def by_difference(samples: Sequence[Sample]) -> list[Sample]:
    """The samples, those first of whose pixels the first model and the last label the largest part differently."""
    return sorted(samples, key=lambda sample: np.mean(sample.predictions[0] != sample.predictions[-1]), reverse=True)


def labelled(sample: Sample, palette: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """The image, and in colours over it the ground truth and each prediction."""
    return [sample.image, *(overlay(sample.image, labels, palette) for labels in (sample.truth, *sample.predictions))]
