"""Figure 4 of RAN, and the reverse attention of two confused classes.

Shapes: B batch, N classes, H x W the image, h x w the feature map.
"""
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mmcv
import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmseg.models import EncoderDecoder
from torch import Tensor
from torch.nn import functional as F

from .overlay import overlay
from .panel import save_panel


@dataclass(frozen=True)
class Sample:
    """One image and what is known and predicted of it; label maps are [H, W]."""

    image: np.ndarray  # [H, W, 3] uint8 RGB
    truth: np.ndarray
    predictions: tuple[np.ndarray, ...]
    attention: np.ndarray  # [N, H, W] in (0, 1), of the last model
    probabilities: np.ndarray  # [N, H, W], of the last model


@torch.no_grad()
def look(item: dict, models: Sequence[EncoderDecoder]) -> Sample:
    """What the models, the last of them a RAN, see in one item of a data set."""
    predictions = []
    for model in models:
        batch = model.data_preprocessor(pseudo_collate([item]))
        result = model.predict(batch['inputs'], batch['data_samples'])[0]
        predictions.append(result.pred_sem_seg.data[0].cpu().numpy())
    truth = item['data_samples'].gt_sem_seg.data[0].numpy()
    return Sample(image=mmcv.imread(item['data_samples'].img_path, channel_order='rgb'), truth=truth,
                  predictions=tuple(predictions),
                  attention=attention_maps(models[-1], batch['inputs'], truth.shape)[0].cpu().numpy(),
                  probabilities=result.seg_logits.data.softmax(0).cpu().numpy())


def attention_maps(model: EncoderDecoder, inputs: Tensor, size: tuple[int, int]) -> Tensor:
    """Reverse attention to every class for the normalised ``inputs`` [B, 3, H', W'], resized to [B, N, *size].

    Of a multi-scale model: the attention that its fused original scores ask for.
    """
    scores = (model.score_maps(inputs) if hasattr(model, 'score_maps')
              else model.decode_head.forward_branches(model.extract_feat(inputs)))
    attention = model.decode_head.attention(scores.original)
    return F.interpolate(attention, size, mode='bilinear', align_corners=model.align_corners)


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


def draw_comparison(path: str | Path, samples: Sequence[Sample], methods: Sequence[str], classes: Sequence[str],
                    palette: Sequence[Sequence[int]], pair: tuple[int, int]) -> Path:
    """Figure 4: rows of image, truth and each method's labels; and the last one's attention to two classes."""
    rows = [[s.image, *(overlay(s.image, labels, palette) for labels in (s.truth, *s.predictions)),
             *(s.attention[index] for index in pair)] for s in samples]
    titles = ['image', 'ground truth', *methods, *(f'reverse attention: {classes[i]}' for i in pair)]
    return save_panel(path, rows, titles)


def draw_probabilities(path: str | Path, samples: Sequence[Sample], classes: Sequence[str],
                       pair: tuple[int, int]) -> Path:
    """Figure 2's class-wise probability maps of two classes, beside the image."""
    return save_panel(path, [[s.image, *(s.probabilities[index] for index in pair)] for s in samples],
                      ['image', *(f'probability: {classes[index]}' for index in pair)])
