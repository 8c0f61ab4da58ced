"""The predictions of trained models for the items of a data set, and the choice of items for a figure.

Shapes: N classes, K maps, H x W the image, H' x W' the input of the network, h x w the feature map.
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
    """One image, its ground truth, and the predictions of the models.

    Args:
        image: RGB, [H, W, 3] uint8.
        truth: The label map [H, W].
        predictions: The label map [H, W] of each model.
        item: The item as the data set gives it.
        model: The last model. Its maps are drawn. They are computed only for the samples that a figure shows.
    """

    image: np.ndarray
    truth: np.ndarray
    predictions: tuple[np.ndarray, ...]
    item: dict
    model: EncoderDecoder


def look(item: dict, models: Sequence[EncoderDecoder]) -> Sample:
    """Predicts one item of a data set with each model."""
    predictions = tuple(predict(item, model).pred_sem_seg.data[0].cpu().numpy() for model in models)
    return replace(sample_of(item, models[-1]), predictions=predictions)


def sample_of(item: dict, model: EncoderDecoder) -> Sample:
    """Reads the image and the ground truth of an item of a data set. There are no predictions yet.

    Raises:
        ConfigError: The item has no ground truth.
    """
    data = item['data_samples']
    if 'gt_sem_seg' not in data:
        raise ConfigError(f'{data.img_path} has no mask to draw: give a config with masks for its test images')
    image, truth = mmcv.imread(data.img_path, channel_order='rgb'), data.gt_sem_seg.data[0].numpy()
    return Sample(image, truth, predictions=(), item=item, model=model)


@torch.no_grad()
def predict(item: dict, model: EncoderDecoder) -> SegDataSample:
    """Returns the model's prediction for an item of a data set, as the test config asks for it."""
    batch = model.data_preprocessor(pseudo_collate([item]))
    return model.predict(batch['inputs'], batch['data_samples'])[0]


def inputs_of(sample: Sample) -> Tensor:
    """Returns the whole image as the input of the model, [1, 3, H', W'], even if the test config slides a window."""
    return sample.model.data_preprocessor(pseudo_collate([sample.item]))['inputs']


def at_image_size(sample: Sample, maps: Tensor) -> np.ndarray:
    """Resizes maps [1, K, h, w] of the sample's model bilinearly to the size of the image: [K, H, W]."""
    resized = F.interpolate(maps, sample.truth.shape, mode='bilinear', align_corners=sample.model.align_corners)
    return resized[0].cpu().numpy()


def most_confused(samples: Sequence[Sample], num_classes: int, leave_out: Sequence[int] = ()) -> tuple[int, int]:
    """Finds the two classes that the first model confuses most, relative to the pixels of the rarer class.

    Args:
        samples: The samples, with the prediction of the first model first.
        num_classes: N.
        leave_out: Classes that are not considered.

    Example:
        >>> truth, predicted = np.array([[0, 1, 1, 2]]), np.array([[0, 2, 1, 1]])
        >>> most_confused([Sample(None, truth, (predicted,), item={}, model=None)], num_classes=3)
        (1, 2)
    """
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
    """Sorts samples by the number of pixels for which the first model confuses two classes, the most first.

    Example:
        >>> truth, good, bad = (np.array([labels]) for labels in ([0, 1], [0, 1], [1, 0]))
        >>> samples = [Sample(None, truth, (labels,), item={}, model=None) for labels in (good, bad)]
        >>> by_confusion(samples, pair=(0, 1))[0].predictions[0] is bad
        True
    """
    first, second = pair

    def confused(sample: Sample) -> int:
        truth, predicted = sample.truth, sample.predictions[0]
        return int(((truth == first) & (predicted == second) | (truth == second) & (predicted == first)).sum())

    return sorted(samples, key=confused, reverse=True)


def by_difference(samples: Sequence[Sample]) -> list[Sample]:
    """Sorts samples by the share of pixels that the first model and the last label differently, the largest first.

    Example:
        >>> zeros, ones = np.zeros((1, 4)), np.ones((1, 4))
        >>> samples = [Sample(None, zeros, (zeros, last), item={}, model=None) for last in (zeros, ones)]
        >>> by_difference(samples)[0].predictions[-1] is ones
        True
    """

    def difference(sample: Sample) -> float:
        return float(np.mean(sample.predictions[0] != sample.predictions[-1]))

    return sorted(samples, key=difference, reverse=True)


def labelled(sample: Sample, palette: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """Returns the image, then the ground truth and each prediction in colours over it.

    Example:
        >>> image, labels = np.full((1, 2, 3), 100, np.uint8), np.array([[0, 1]])
        >>> pictures = labelled(Sample(image, labels, (labels,), item={}, model=None), palette=[(0, 0, 0), (255, 0, 0)])
        >>> [picture.shape for picture in pictures]
        [(1, 2, 3), (1, 2, 3), (1, 2, 3)]
    """
    return [sample.image, *(overlay(sample.image, labels, palette) for labels in (sample.truth, *sample.predictions))]
