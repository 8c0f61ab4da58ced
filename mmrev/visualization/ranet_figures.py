"""Figures 5 and 6 of RANet (Shen et al., NeurIPS 2020): object regions with their representatives, and segmentations.

Shapes: H x W the image, h x w the feature map.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import ConfigDict

from .overlay import overlay
from .panel import save_panel
from .region_pictures import nearest, region_picture
from .samples import Sample, by_confusion, by_difference, inputs_of, labelled, predict


def draw_ranet_figures(
    folder: Path, samples: Sequence[Sample], baselines: Sequence[str], metainfo: dict, pair: tuple[int, int], rows: int
) -> list[Path]:
    """Writes figures 5 and 6. The last model of the samples has a ``RegionAttentionHead``.

    With baselines, the rows are the samples where the last model differs most from the first. Without, they are the
    samples where the model confuses ``pair`` most.

    Args:
        folder: The folder of the files.
        samples: The samples to choose rows from.
        baselines: The names of the models before the last one.
        metainfo: The meta information of the data set, with a ``palette``.
        pair: Two classes.
        rows: The largest number of samples to draw.

    Returns:
        The paths of the files.
    """
    shown = (by_difference(samples) if baselines else by_confusion(samples, pair))[:rows]
    return [
        draw_regions(folder / 'figure5.png', shown, metainfo['palette']),
        draw_segmentations(folder / 'figure6.png', shown, baselines, metainfo['palette']),
    ]


def draw_regions(path: str | Path, samples: Sequence[Sample], palette: Sequence[Sequence[int]]) -> Path:
    """Figure 5: each row has the image, the ground truth, the regions with representatives, and equation 5's scores."""
    rows = []
    for sample in samples:
        image, truth = labelled(sample, palette)[:2]
        labels, scores, representatives = region_maps(sample)
        regions = region_picture(sample.image, labels, representatives)
        rows.append([image, truth, regions, nearest(scores, sample.truth.shape)])
    return save_panel(path, rows, ['image', 'ground truth', 'regions and representatives', 'score J'], cell=3)


def draw_segmentations(
    path: str | Path, samples: Sequence[Sample], baselines: Sequence[str], palette: Sequence[Sequence[int]]
) -> Path:
    """Figure 6: each row has the image, the ground truth, the baselines' labels, and RANet's coarse and fine labels."""
    rows = []
    for sample in samples:
        row = labelled(sample, palette)[: 2 + len(baselines)]
        for output in ('coarse', 'fine'):
            row.append(overlay(sample.image, prediction(sample, output), palette))
        rows.append(row)
    return save_panel(path, rows, ['image', 'ground truth', *baselines, 'coarse', 'fine'])


@torch.no_grad()
def region_maps(sample: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The root pixels, scores J and representatives of the whole image by the sample's model, [h, w] each."""
    head, features = sample.model.decode_head, sample.model.extract_feat(inputs_of(sample))
    size = head._transform_inputs(features).shape[2:]
    labels, scores, representatives = (found[0].view(size).cpu().numpy() for found in head.regions(features))
    return labels, scores, representatives


def prediction(sample: Sample, output: str) -> np.ndarray:
    """The ``'coarse'`` or ``'fine'`` label map [H, W] by the sample's model. Its test config stays as it is."""
    model, given = sample.model, sample.model.test_cfg
    model.test_cfg = ConfigDict(given, output=output)
    try:
        return predict(sample.item, model).pred_sem_seg.data[0].cpu().numpy()
    finally:
        model.test_cfg = given
