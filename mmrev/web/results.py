"""The prediction of a model of any host, as the page shows it.

Shapes: N classes, K objects, H x W the picture, h x w the picture on the page.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mmrev.errors import DataError
from mmrev.prediction import Prediction
from mmrev.prediction.metainfo import Classes
from mmrev.prediction.tasks import Boxes, Options
from mmrev.prediction.tasks.detection import corners
from mmrev.visualization.overlay import blend
from mmrev.visualization.region_pictures import nearest

from .pictures import to_page

OPACITY, OPACITY_OF_BLACK = 0.6, 0.2  # black is the background: it should stay transparent
SCORE_THR = 0.3  # the lowest score of a box, as `mmrev predict` draws them

Region = np.ndarray | tuple[int, int, int, int]


@dataclass(frozen=True)
class Result:
    """A prediction on the page.

    Args:
        picture: RGB, [h, w, 3] uint8.
        drawn: The picture with the prediction over it.
        scores: The share of the picture, or the score, of each class that was found, the largest first.
        regions: The opacity [h, w] of a class or object, or its box, with its name.
        colors: The colour of each name, ``'#rrggbb'``.
        labels: The index of the class of each pixel of the whole picture, [H, W], for segmentation.
    """

    picture: np.ndarray
    drawn: np.ndarray
    scores: Mapping[str, float]
    regions: Sequence[tuple[Region, str]] = ()
    colors: Mapping[str, str] = field(default_factory=dict)
    labels: np.ndarray | None = None


def segmentation_result(prediction: Prediction, classes: Classes) -> Result:
    """Makes a region of each class that is in the picture."""
    if 'pred_sem_seg' not in prediction.sample:
        raise DataError(f'the model gives no semantic segmentation, but {sorted(prediction.sample.keys())}')
    labels = prediction.sample.pred_sem_seg.data[0].cpu().numpy()
    picture, palette = to_page(prediction.picture), np.asarray(classes.palette, np.uint8)
    small = nearest(labels, picture.shape[:2])
    pixels = np.bincount(labels.ravel(), minlength=len(palette))
    found = [index for index in np.argsort(-pixels, kind='stable') if pixels[index]]
    names = [classes.names[index] for index in found]
    opacities = [OPACITY if palette[index].any() else OPACITY_OF_BLACK for index in found]
    return Result(
        picture,
        blend(picture, palette[small], OPACITY),
        {name: float(pixels[index] / labels.size) for name, index in zip(names, found, strict=True)},
        [((small == index) * opacity, name) for index, opacity, name in zip(found, opacities, names, strict=True)],
        {name: _hex(palette[index]) for name, index in zip(names, found, strict=True)},
        labels,
    )


def detection_result(prediction: Prediction, classes: Classes) -> Result:
    """Makes a region of each object whose score is high enough. Equal names get a number."""
    if 'pred_instances' not in prediction.sample:
        raise DataError(f'the model gives no boxes, but {sorted(prediction.sample.keys())}')
    objects = prediction.sample.pred_instances.cpu()
    objects = objects[objects.scores >= SCORE_THR]
    picture = to_page(prediction.picture)
    height, width = picture.shape[:2]
    scale = np.array([width, height] * 2) / np.array([*prediction.picture.shape[1::-1]] * 2)
    boxes = (corners(objects) * scale).round().astype(int).clip(0, [width, height] * 2)
    found: list[tuple[Region, str]] = []
    scores: dict[str, float] = {}
    colors: dict[str, str] = {}
    for index, (label, score) in enumerate(zip(objects.labels.tolist(), objects.scores.tolist(), strict=True)):
        name = _free(classes.names[label], scores)
        scores[name], colors[name] = score, _hex(classes.palette[label])
        box = tuple(boxes[index].tolist())
        found.append(
            (nearest(objects.masks[index].numpy(), (height, width)) * OPACITY, name)
            if 'masks' in objects
            else (box, name)
        )
    drawn = Boxes(classes, Options(score_thr=SCORE_THR), Path()).draw(prediction)
    return Result(picture, to_page(drawn), scores, found, colors)


def classification_result(prediction: Prediction, classes: Classes) -> Result:
    """Takes the score of each class."""
    scores = prediction.sample.pred_score.float().cpu().tolist()
    best = sorted(zip(classes.names, scores, strict=True), key=lambda entry: -entry[1])
    picture = to_page(prediction.picture)
    return Result(picture, picture, dict(best))


RESULTS: Mapping[str, Callable[[Prediction, Classes], Result]] = {
    'segmentation': segmentation_result,
    'detection': detection_result,
    'classification': classification_result,
}


def difference(one: Result, other: Result, classes: Classes, others: Classes) -> str:
    """Says in one sentence how far two segmentations of one picture differ."""
    if one.labels is None or other.labels is None:
        return ''
    if list(classes.names) != list(others.names):
        return 'The two models have different classes.'
    return f'The two models differ on {100 * np.mean(one.labels != other.labels):.1f} % of the pixels.'


def _free(name: str, taken: Mapping[str, float]) -> str:
    number = 1 + sum(other.partition(' #')[0] == name for other in taken)
    return name if number == 1 else f'{name} #{number}'


def _hex(color: Sequence[int]) -> str:
    return f'#{bytes(map(int, color)).hex()}'
