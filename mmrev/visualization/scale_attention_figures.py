"""Figure 3 of "Attention to Refine through Multi-Scales" (Yang and Peng, PCM 2018), and the attention model's maps.

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
    """Writes figure 3 of samples whose last model is fused by a ``ScaleAttentionHead``, and its recalibration if any.

    The rows are those in which it differs most from the first baseline, or without one those that confuse ``pair``
    most, as in the recalibration's figure.

    Args:
        folder: Where to.
        samples: Of which to choose the rows.
        baselines: The names of the models before it.
        metainfo: The data set's, with ``classes`` and ``palette``.
        pair: The two classes whose recalibration is drawn.
        rows: How many samples are drawn, at most.
    """
    confused = by_confusion(samples, pair)[:rows]
    shown = by_difference(samples)[:rows] if baselines else confused
    files = [draw_comparison(folder / 'figure3.png', shown, [*baselines, 'ours'], metainfo['palette'])]
    if samples[0].model.fusion.recalibration:
        files.append(
            draw_recalibration(
                folder / 'figure3_recalibration.png', confused, metainfo['classes'], metainfo['palette'], pair
            )
        )
    return files


def draw_comparison(
    path: str | Path, samples: Sequence[Sample], methods: Sequence[str], palette: Sequence[Sequence[int]]
) -> Path:
    """Figure 3: rows of image, ground truth and each method's labels; and the last one's attention to each scale."""
    titles = ['image', 'ground truth', *methods, *(f'attention: scale {scale:g}' for scale in samples[0].model.scales)]
    return save_panel(path, [[*labelled(sample, palette), *location_maps(sample)] for sample in samples], titles)


def draw_recalibration(
    path: str | Path,
    samples: Sequence[Sample],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
    pair: tuple[int, int],
) -> Path:
    """Rows of image, ground truth and the recalibration of two classes' scores."""
    drawn = 'sigmoid(bias)' if samples[0].model.fusion.recalibration == 'add' else 'recalibration'
    return save_panel(
        path,
        [[*labelled(sample, palette)[:2], *recalibration_maps(sample, pair)] for sample in samples],
        ['image', 'ground truth', *(f'{drawn}: {classes[index]}' for index in pair)],
    )


@torch.no_grad()
def location_maps(sample: Sample) -> np.ndarray:
    """The location attention (equation 2) in the order of the model's scales, [S, H, W], 1 in sum over them.

    Raises:
        ConfigError: The ``fusion`` is no ``ScaleAttentionHead``.
    """
    return at_image_size(sample, sample.model.attention_maps(inputs_of(sample)).attention)


@torch.no_grad()
def recalibration_maps(sample: Sample, pair: tuple[int, int]) -> np.ndarray:
    """The recalibration of two classes, [2, H, W] in (0, 1): the factors, or in mode ``'add'`` the bias's sigmoid.

    Raises:
        ConfigError: The ``fusion`` is no ``ScaleAttentionHead``.
    """
    maps = sample.model.attention_maps(inputs_of(sample)).recalibration[:, list(pair)]
    return at_image_size(sample, maps.sigmoid() if sample.model.fusion.recalibration == 'add' else maps)
