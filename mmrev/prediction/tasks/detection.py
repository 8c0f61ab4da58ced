"""Boxes and masks of objects in COCO's JSON, and pictures with the boxes.

Shapes: K objects, H x W the picture.
"""

import json
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mmrev.errors import DataError

from ..files import write_file
from ..results import Prediction
from .base import Task


class Boxes(Task):
    """The files of a detector. The id of a category is the index of its class plus 1."""

    @property
    def table(self) -> Path:
        return self.out / 'boxes.json'

    def files(self, name: str) -> list[Path]:
        return [self.overlay(name)] if self.options.overlays else []

    def write(self, name: str, prediction: Prediction) -> dict:
        if 'pred_instances' not in prediction.sample:
            raise DataError(f'the model gives no boxes, but {sorted(prediction.sample.keys())}')
        objects = prediction.sample.pred_instances.cpu()
        if self.options.overlays:
            self.write_overlay(name, self.draw(prediction))
        found = [
            dict(label=label, score=round(score, 5), box=box)
            for label, score, box in zip(
                objects.labels.tolist(), objects.scores.tolist(), as_xywh(corners(objects)), strict=True
            )
        ]
        if 'masks' in objects:
            for entry, mask in zip(found, objects.masks.numpy(), strict=True):
                entry['segmentation'] = encode(mask)
        return {'objects': found}

    def write_table(self, rows: Collection[dict]) -> list[Path]:
        images: list[dict] = []
        annotations: list[dict] = []
        for image_id, row in enumerate(rows, 1):
            images.append(dict(id=image_id, file_name=row['image'], width=row['width'], height=row['height']))
            for entry in row['objects']:
                annotations.append(_annotation(len(annotations) + 1, image_id, entry))
        categories = [dict(id=index, name=name) for index, name in enumerate(self.classes.names, 1)]
        content = json.dumps(dict(images=images, categories=categories, annotations=annotations))
        write_file(self.table, lambda file: file.write(content.encode()))
        return [self.table]

    @cached_property
    def _visualizer(self) -> Any:
        from mmdet.visualization import DetLocalVisualizer

        visualizer = DetLocalVisualizer(alpha=self.options.opacity)
        visualizer.dataset_meta = dict(
            classes=self.classes.names, palette=[tuple(color) for color in self.classes.palette]
        )
        return visualizer

    def draw(self, prediction: Prediction) -> np.ndarray:
        """Draws the objects over the picture: RGB, [H, W, 3] uint8."""
        self._visualizer.add_datasample(
            'prediction',
            prediction.picture,
            prediction.sample.cpu(),
            draw_gt=False,
            pred_score_thr=self.options.score_thr,
        )
        return self._visualizer.get_image()


def as_xywh(boxes: np.ndarray) -> list[list[float]]:
    """Turns boxes [K, 4] of two corners into a corner, a width and a height.

    Example:
        >>> as_xywh(np.array([[1, 2, 4, 7]]))
        [[1.0, 2.0, 3.0, 5.0]]
    """
    boxes = boxes.reshape(-1, 4).astype(float)
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).round(2).tolist()


def encode(mask: np.ndarray) -> dict:
    """Encodes a mask [H, W] as COCO's run lengths."""
    from pycocotools import mask as coco  # a dependency of mmdet

    code = coco.encode(np.asfortranarray(mask, np.uint8))
    return dict(size=list(map(int, code['size'])), counts=code['counts'].decode())


def corners(objects: Any) -> np.ndarray:
    """Returns the boxes of a detector's objects as two corners, [K, 4]."""
    boxes = objects.bboxes
    return np.asarray(getattr(boxes, 'tensor', boxes))


def _annotation(number: int, image_id: int, entry: dict) -> dict:
    width, height = entry['box'][2:]
    annotation = dict(
        id=number,
        image_id=image_id,
        category_id=entry['label'] + 1,
        bbox=entry['box'],
        score=entry['score'],
        area=round(width * height, 2),
        iscrowd=0,
    )
    if 'segmentation' in entry:
        annotation['segmentation'] = entry['segmentation']
    return annotation
