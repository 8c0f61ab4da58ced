"""Figures 5 and 6 of RANet (Shen et al., NeurIPS 2020): object regions with their representatives, segmentations.

Shapes: H x W the image, h x w the feature map, P = h * w its pixels in raster order.
"""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import ConfigDict

from mmrev.models.decode_heads.region_attention_head import OUTPUTS

from .overlay import overlay
from .panel import save_panel
from .samples import Sample, by_confusion, by_difference, inputs_of, labelled, predict

# no green, which is the representatives', and no grey, which is the image's
REGION_COLORS = (
    (230, 25, 75),
    (0, 110, 255),
    (255, 225, 25),
    (145, 30, 220),
    (0, 215, 235),
    (245, 120, 20),
    (250, 120, 210),
    (30, 30, 200),
    (160, 80, 20),
    (90, 170, 255),
    (255, 175, 130),
    (140, 0, 60),
    (0, 130, 150),
    (185, 100, 255),
)
DOT, RIM, BORDER, CLEAR = (60, 255, 60), (0, 0, 0), (255, 255, 255), (0, 0, 0)
FRAGMENT = -1  # in place of the root pixel


def draw_ranet_figures(
    folder: Path, samples: Sequence[Sample], baselines: Sequence[str], metainfo: dict, pair: tuple[int, int], rows: int
) -> list[Path]:
    """Writes figures 5 and 6 of samples whose model is the last one and has a ``RegionAttentionHead``.

    The rows are those in which it differs most from the first baseline, or without one those that confuse ``pair``
    most.

    Args:
        folder: Where to.
        samples: Of which to choose the rows.
        baselines: The names of the models before it.
        metainfo: The data set's, with ``palette``.
        pair: Two classes that are confused.
        rows: How many samples are drawn, at most.
    """
    shown = (by_difference(samples) if baselines else by_confusion(samples, pair))[:rows]
    return [
        draw_regions(folder / 'figure5.png', shown, metainfo['palette']),
        draw_segmentations(folder / 'figure6.png', shown, baselines, metainfo['palette']),
    ]


def draw_regions(path: str | Path, samples: Sequence[Sample], palette: Sequence[Sequence[int]]) -> Path:
    """Figure 5: rows of image, ground truth, regions with their representatives, and the scores of equation 5."""
    rows = []
    for sample in samples:
        labels, scores, representatives = region_maps(sample)
        rows.append(
            [
                *labelled(sample, palette)[:2],
                region_picture(sample.image, labels, representatives),
                nearest(scores, sample.truth.shape),
            ]
        )
    return save_panel(path, rows, ['image', 'ground truth', 'regions and representatives', 'score J'], cell=3)


def draw_segmentations(
    path: str | Path, samples: Sequence[Sample], baselines: Sequence[str], palette: Sequence[Sequence[int]]
) -> Path:
    """Figure 6: rows of image, ground truth, the labels of each baseline, and the coarse and the fine ones of RANet."""
    rows = [
        [
            *labelled(sample, palette)[: 2 + len(baselines)],
            *(overlay(sample.image, prediction(sample, output), palette) for output in OUTPUTS[::-1]),
        ]
        for sample in samples
    ]
    return save_panel(path, rows, ['image', 'ground truth', *baselines, *OUTPUTS[::-1]])


@torch.no_grad()
def region_maps(sample: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Root pixels, scores J and representatives of the sample's model on the whole image, [h, w] each."""
    head, features = sample.model.decode_head, sample.model.extract_feat(inputs_of(sample))
    size = head._transform_inputs(features).shape[2:]
    return tuple(found[0].view(size).cpu().numpy() for found in head.regions(features))


def prediction(sample: Sample, output: str) -> np.ndarray:
    """The labels [H, W] that the sample's model gives by one of its ``OUTPUTS``."""
    model, given = sample.model, sample.model.test_cfg
    model.test_cfg = ConfigDict(given, output=output)
    try:
        return predict(sample.item, model).pred_sem_seg.data[0].cpu().numpy()
    finally:
        model.test_cfg = given


def region_picture(image: np.ndarray, labels: np.ndarray, representatives: np.ndarray) -> np.ndarray:
    """Regions in colours, with white borders, and green dots at their representatives, over the grey image.

    Regions that are all representatives (of K pixels or fewer: they are many, along boundaries) stay grey, without
    dots.

    Args:
        image: [H, W, 3] uint8 RGB.
        labels: Root pixel of each pixel's region, [h, w].
        representatives: [h, w] bool.
    """
    size = image.shape[:2]
    labels = np.where(_has_others(labels, representatives), labels, FRAGMENT)
    picture = overlay(image, nearest(color_indices(labels), size), [*REGION_COLORS, CLEAR])
    picture[borders(nearest(labels, size), width=max(1, size[1] // 300))] = BORDER
    return _with_dots(picture, representatives & (labels != FRAGMENT))


def _has_others(labels: np.ndarray, representatives: np.ndarray) -> np.ndarray:
    _, regions = np.unique(labels, return_inverse=True)
    others = np.bincount(regions.ravel(), ~representatives.ravel())
    return others[regions].reshape(labels.shape) > 0


def _with_dots(picture: np.ndarray, marks: np.ndarray) -> np.ndarray:
    scale = np.divide(picture.shape[:2], marks.shape)
    radius = max(2, picture.shape[1] // 160)
    picture = np.ascontiguousarray(picture)
    for row, column in (np.argwhere(marks) + 0.5) * scale:
        for color, reach in ((RIM, radius + max(1, radius // 3)), (DOT, radius)):
            cv2.circle(picture, (int(column), int(row)), reach, color, cv2.FILLED, cv2.LINE_AA)
    return picture


def color_indices(labels: np.ndarray) -> np.ndarray:
    """A number of ``REGION_COLORS`` for each region of a map [h, w] of root pixels: [h, w] uint8.

    A root pixel has its own colour, from iteration to iteration, unless a larger neighbour of its region has it: then
    the next free one. Neighbours differ, unless a region has as many larger ones as there are colours. ``FRAGMENT`` has
    the number after the last.
    """
    roots, regions, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    neighbours = _neighbours(regions.reshape(labels.shape))
    given = np.where(roots == FRAGMENT, len(REGION_COLORS), -1)
    for region in np.argsort(-sizes, kind='stable'):
        if given[region] >= 0:
            continue
        taken = {given[other] for other in neighbours[region]}
        wanted = (roots[region] + np.arange(len(REGION_COLORS))) % len(REGION_COLORS)
        given[region] = next((color for color in wanted if color not in taken), wanted[0])
    return given[regions].reshape(labels.shape).astype(np.uint8)


def _neighbours(regions: np.ndarray) -> list[set[int]]:
    found: list[set[int]] = [set() for _ in range(regions.max() + 1)]
    for before, after in ((regions[:-1], regions[1:]), (regions[:, :-1], regions[:, 1:])):
        apart = before != after
        for one, other in np.unique(np.stack([before[apart], after[apart]], 1), axis=0):
            found[one].add(other)
            found[other].add(one)
    return found


def borders(labels: np.ndarray, width: int = 1) -> np.ndarray:
    """Where the next ``width`` pixels to the right or below are of another label, [H, W] bool."""
    marked = np.zeros(labels.shape, bool)
    marked[:-1] |= labels[:-1] != labels[1:]
    marked[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    return cv2.dilate(marked.astype(np.uint8), np.ones((width, width), np.uint8)).astype(bool)


def nearest(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes a map [h, w] of labels to [H, W]."""
    return values[np.ix_(*(np.arange(new) * old // new for old, new in zip(values.shape, size, strict=True)))]
