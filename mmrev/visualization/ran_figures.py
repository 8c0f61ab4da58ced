"""Figure 4 of RAN, and the reverse attention of two confused classes."""
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmseg.models import EncoderDecoder
from torch import Tensor
from torch.nn import functional as F

from .overlay import overlay
from .panel import save_panel


@dataclass(frozen=True)
class Sample:
    """One image with what is known and predicted of it; label maps are [H, W]."""

    image: np.ndarray  # [H, W, 3] uint8 RGB
    truth: np.ndarray
    baseline: np.ndarray
    ours: np.ndarray
    attention: np.ndarray  # [N, H, W] in (0, 1)


def attention_maps(model: EncoderDecoder, inputs: Tensor) -> Tensor:
    """Reverse attention of every class, [B, N, H, W], at the size of the normalised ``inputs`` [B, 3, H, W].

    Of a multi-scale model: the attention that the fused original scores ask for.
    """
    with torch.no_grad():
        scores = (model.score_maps(inputs) if hasattr(model, 'score_maps')
                  else model.decode_head.forward_branches(model.extract_feat(inputs)))
        attention = model.decode_head.attention(scores.original)
    return F.interpolate(attention, inputs.shape[2:], mode='bilinear', align_corners=model.align_corners)


def most_confused(truths: Sequence[np.ndarray], predictions: Sequence[np.ndarray], num_classes: int,
                  leave_out: Sequence[int] = ()) -> tuple[int, int]:
    """The two classes that are most often taken for each other, relative to the rarer one's pixels."""
    counts = np.zeros((num_classes, num_classes))
    for truth, prediction in zip(truths, predictions, strict=True):
        known = truth < num_classes
        np.add.at(counts, (truth[known], prediction[known]), 1)
    mutual = (counts + counts.T) / np.maximum(np.minimum.outer(counts.sum(1), counts.sum(1)), 1)
    mutual[np.tril_indices(num_classes)] = -1
    mutual[list(leave_out)] = -1
    mutual[:, list(leave_out)] = -1
    first, second = np.unravel_index(mutual.argmax(), mutual.shape)
    return int(first), int(second)


def draw_comparison(path: str | Path, samples: Sequence[Sample], classes: Sequence[str],
                    palette: Sequence[Sequence[int]], pair: tuple[int, int]) -> Path:
    """Rows of image, truth, baseline, RAN and the attention to two classes."""
    rows = [[s.image, *(overlay(s.image, labels, palette) for labels in (s.truth, s.baseline, s.ours)),
             *(s.attention[index] for index in pair)] for s in samples]
    titles = ['image', 'ground truth', 'baseline', 'RAN', *(f'reverse attention: {classes[i]}' for i in pair)]
    return save_panel(path, rows, titles)
