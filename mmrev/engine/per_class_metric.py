"""A metric of segmentation that keeps what a mean hides: the classes, their confusions, and the worst images.

Shapes: N classes, H x W the image.
"""

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import mmcv
import numpy as np
from mmengine.evaluator import BaseMetric

from mmrev.evaluation.class_scores import ClassScores, class_scores, confusion_of
from mmrev.visualization.confusion_picture import draw_confusion
from mmrev.visualization.overlay import overlay
from mmrev.visualization.panel import save_panel

from .work_dirs import write_whole


@dataclass
class ImageResult:
    """The result of one image.

    Args:
        path: Its file.
        pairs: The cells of the confusion matrix that it fills, true class times N plus predicted class.
        counts: Their pixels.
        miou: The mean IoU of its classes in percent.
        maps: Its ground truth and its prediction, if it is among the worst.
    """

    path: str
    pairs: np.ndarray
    counts: np.ndarray
    miou: float
    maps: tuple[np.ndarray, np.ndarray] | None = None


class PerClassMetric(BaseMetric):
    """Writes ``classes.json``, ``classes.csv``, ``images.csv``, ``confusion.png`` and ``worst_images.png``.

    ``images.csv`` has the mean IoU of each image, the worst first. The metric adds no figure to the others of a test.

    Args:
        folder: Where the files go.
        num_worst: The number of images in ``worst_images.png``.
        ignore_index: The label that does not count.

    Example:
        >>> PerClassMetric('work_dirs/a/per_class').num_worst
        5
    """

    def __init__(self, folder: str | Path, num_worst: int = 5, ignore_index: int = 255) -> None:
        super().__init__()
        self.folder, self.num_worst, self.ignore_index = Path(folder), num_worst, ignore_index
        self.results: list[ImageResult]
        self.lines: list[str] = []

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        count = len(self.dataset_meta['classes'])
        for sample in data_samples:
            if 'gt_sem_seg' not in sample:  # of a test server
                continue
            truth, prediction = (
                np.asarray(sample[key]['data'].squeeze().cpu()) for key in ('gt_sem_seg', 'pred_sem_seg')
            )
            confusion = confusion_of(truth, prediction, count, self.ignore_index)
            pairs = np.flatnonzero(confusion)
            self.results.append(
                ImageResult(
                    str(sample.get('img_path', '')),
                    pairs,
                    confusion.ravel()[pairs],
                    mean_of(class_scores(confusion).iou),
                    (truth.astype(np.uint8), prediction.astype(np.uint8)),
                )
            )
            self._keep_the_worst()

    def _keep_the_worst(self) -> None:
        with_maps = [result for result in self.results if result.maps is not None]
        if len(with_maps) > self.num_worst:
            max(with_maps, key=lambda result: _rank(result)).maps = None

    def compute_metrics(self, results: list[ImageResult]) -> dict:
        if not results:
            return {}
        classes = list(self.dataset_meta['classes'])
        cells = np.zeros(len(classes) ** 2, np.int64)
        for result in results:
            cells[result.pairs] += result.counts
        confusion = cells.reshape(len(classes), len(classes))
        scores = class_scores(confusion)
        worst = sorted(results, key=_rank)
        title = f'mIoU {mean_of(scores.iou):.2f}, {len(results)} images'
        files = {
            'classes.json': json.dumps(scores_as_json(scores, confusion, classes), indent=1, ensure_ascii=False),
            'classes.csv': _csv(['class', *ClassScores._fields], zip(classes, *map(_rounded, scores), strict=True)),
            'images.csv': _csv(['image', 'mIoU'], [(result.path, _number(result.miou)) for result in worst]),
        }
        for name, text in files.items():
            write_whole(self.folder / name, text.encode('utf-8', 'surrogateescape'))
        write_whole(self.folder / 'confusion.png', draw_confusion(confusion, classes, title))
        self._draw_worst([result for result in worst if result.maps is not None][: self.num_worst])
        self.lines = table_lines(scores, classes)
        return {}

    def _draw_worst(self, worst: list[ImageResult]) -> None:
        palette = self.dataset_meta.get('palette')
        rows = []
        for result in worst:
            if not palette or not result.path or result.maps is None or not math.isfinite(result.miou):
                continue
            image = mmcv.imread(result.path, channel_order='rgb')
            if image.shape[:2] == result.maps[0].shape:
                rows.append([image, *(overlay(image, labels, palette) for labels in result.maps)])
        if rows:
            save_panel(self.folder / 'worst_images.png', rows, ['image', 'ground truth', 'prediction'], cell=2.4)


def _rank(result: ImageResult) -> float:
    return result.miou if math.isfinite(result.miou) else math.inf


def mean_of(values: np.ndarray) -> float:
    """Returns the mean of the values that are numbers, or NaN.

    Example:
        >>> mean_of(np.array([1.0, np.nan, 3.0]))
        2.0
    """
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def _number(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None


def _rounded(values: np.ndarray) -> list[float | None]:
    return [_number(value) for value in values]


def _csv(header: Sequence[str], rows) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerows([header, *rows])
    return text.getvalue()


def scores_as_json(scores: ClassScores, confusion: np.ndarray, classes: Sequence[str]) -> dict:
    """Returns what ``classes.json`` holds. A class without pixels has null.

    Example:
        >>> matrix = np.array([[1, 0], [0, 0]])
        >>> scores_as_json(class_scores(matrix), matrix, ['sky', 'road'])['classes']['road']['iou'] is None
        True
    """
    return dict(
        mIoU=_number(mean_of(scores.iou)),
        classes={
            name: {field: _number(getattr(scores, field)[index]) for field in ClassScores._fields}
            for index, name in enumerate(classes)
        },
        confusion=confusion.tolist(),
    )


def table_lines(scores: ClassScores, classes: Sequence[str]) -> list[str]:
    """Returns a table of the classes, the lowest IoU first.

    Example:
        >>> print(*table_lines(class_scores(np.array([[1, 1], [0, 2]])), ['sky', 'road']), sep='\\n')
        class    IoU  recall  precision  share
        sky    50.00   50.00     100.00  50.00
        road   66.67  100.00      66.67  50.00
    """
    width = max(map(len, ['class', *classes]))
    order = np.argsort(np.where(np.isfinite(scores.iou), scores.iou, np.inf), kind='stable')
    lines = [f'{"class":{width}}  {"IoU":>5}  {"recall":>6}  {"precision":>9}  {"share":>5}']
    for index in order:
        iou, recall, precision, share = (
            f'{value[index]:.2f}' if math.isfinite(value[index]) else '-' for value in scores
        )
        lines.append(f'{classes[index]:{width}}  {iou:>5}  {recall:>6}  {precision:>9}  {share:>5}')
    return lines
