"""Figure 3 of "Attention to Refine through Multi-Scales" (Yang and Peng, PCM 2018), and the attention model's maps.

``mmrev draw <config> <checkpoint> --baseline <config> <checkpoint>`` draws them.

Shapes: S scales, H x W the image.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from .panel import save_panel
from .samples import Sample, at_image_size, by_confusion, by_difference, inputs_of, labelled


def draw_scale_attention_figures(
    folder: Path, samples: Sequence[Sample], baselines: Sequence[str], metainfo: dict, pair: tuple[int, int], rows: int
) -> list[Path]:
    """Draws figure 3 for a model with a ``ScaleAttentionHead``, and its recalibration if there is one.

    The rows of figure 3 are the samples in which the model differs most from the first baseline. Without a baseline,
    and for the recalibration, they are the samples that confuse ``pair`` most.

    Args:
        folder: The folder of the files.
        samples: The samples to choose rows from. Their last model is the one with the head.
        baselines: The names of the other models.
        metainfo: That of the data set, with ``classes`` and ``palette``.
        pair: The two classes to draw the recalibration of.
        rows: The largest number of rows.

    Returns:
        The paths of the files.
    """
    classes, palette = metainfo['classes'], metainfo['palette']
    confused = by_confusion(samples, pair)[:rows]
    shown = by_difference(samples)[:rows] if baselines else confused
    files = [draw_comparison(folder / 'figure3.png', shown, [*baselines, 'ours'], palette)]
    if samples[0].model.fusion.recalibration:
        files.append(draw_recalibration(folder / 'figure3_recalibration.png', confused, classes, palette, pair))
    return files


def draw_comparison(
    path: str | Path, samples: Sequence[Sample], methods: Sequence[str], palette: Sequence[Sequence[int]]
) -> Path:
    """Draws figure 3. A row has the image, the ground truth, the labels of each method, and an attention map a scale.

    The attention is that of the last method.
    """
    titles = ['image', 'ground truth', *methods, *(f'attention: scale {scale:g}' for scale in samples[0].model.scales)]
    return save_panel(path, [[*labelled(sample, palette), *location_maps(sample)] for sample in samples], titles)


def draw_recalibration(
    path: str | Path,
    samples: Sequence[Sample],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    pair: tuple[int, int],
) -> Path:
    """Draws rows of the image, the ground truth, and the recalibration of the scores of two classes."""
    drawn = 'sigmoid(bias)' if samples[0].model.fusion.recalibration == 'add' else 'recalibration'
    rows = [[*labelled(sample, palette)[:2], *recalibration_maps(sample, pair)] for sample in samples]
    return save_panel(path, rows, ['image', 'ground truth', *(f'{drawn}: {classes[index]}' for index in pair)])


@torch.no_grad()
def location_maps(sample: Sample) -> np.ndarray:
    """Computes the location attention (equation 2), [S, H, W], in the order of the scales. Its sum over them is 1.

    Raises:
        ConfigError: The ``fusion`` is no ``ScaleAttentionHead``.
    """
    return at_image_size(sample, sample.model.attention_maps(inputs_of(sample)).attention)


@torch.no_grad()
def recalibration_maps(sample: Sample, pair: tuple[int, int]) -> np.ndarray:
    """Computes the recalibration of two classes, [2, H, W] in (0, 1).

    Returns:
        The factors, or the sigmoid of the bias in mode ``'add'``.

    Raises:
        ConfigError: The ``fusion`` is no ``ScaleAttentionHead``.
    """
    maps = sample.model.attention_maps(inputs_of(sample)).recalibration[:, list(pair)]
    return at_image_size(sample, maps.sigmoid() if sample.model.fusion.recalibration == 'add' else maps)
