"""Masks with the colours of the classes, overlays, probabilities, and the area of each class.

Shapes: N classes, H x W the picture.
"""

from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from mmrev.errors import DataError
from mmrev.visualization.legend import save_legend
from mmrev.visualization.overlay import blend

from ..files import write_csv, write_file
from ..results import Prediction, as_array
from .base import Task

PALETTE_SIZE = 256  # of a PNG file


class Masks(Task):
    """The files of a segmentation model. The value of a pixel in a mask is the index of its class, from 0 on."""

    @property
    def table(self) -> Path:
        return self.out / 'areas.csv'

    def files(self, name: str) -> list[Path]:
        files = [self.out / 'masks' / f'{name}.png']
        if self.options.overlays:
            files.append(self.overlay(name))
        if self.options.probabilities:
            files.append(self.out / 'probabilities' / f'{name}.npy')
        return files

    def write(self, name: str, prediction: Prediction) -> dict:
        if 'pred_sem_seg' not in prediction.sample:
            raise DataError(f'the model gives no semantic segmentation, but {sorted(prediction.sample.keys())}')
        labels = as_array(prediction.sample.pred_sem_seg.data)[0].astype(np.uint16)
        self._write_mask(self.files(name)[0], labels)
        if self.options.overlays:
            colors = np.asarray(self.classes.palette, np.uint8)[labels]
            self.write_overlay(name, blend(prediction.picture, colors, self.options.opacity))
        if self.options.probabilities:
            values = probabilities(as_array(prediction.sample.seg_logits.data))
            write_file(self.files(name)[-1], lambda file: np.save(file, values))
        return {'pixels': np.bincount(labels.ravel(), minlength=len(self.classes.names)).tolist()}

    def write_table(self, rows: Collection[dict]) -> list[Path]:
        columns = ['image', 'mask', 'width', 'height', *(f'{name} (%)' for name in self.classes.names)]
        table = []
        for row in rows:
            shares = (f'{100 * count / max(sum(row["pixels"]), 1):.4f}' for count in row['pixels'])
            table.append([row['image'], f'masks/{row["name"]}.png', row['width'], row['height'], *shares])
        write_csv(self.table, columns, table)
        if find_spec('matplotlib') is None:
            return [self.table]
        legend = self.out / 'legend.png'
        write_file(legend, lambda file: save_legend(file, self.classes.names, self.classes.palette))
        return [self.table, legend]

    def _write_mask(self, path: Path, labels: np.ndarray) -> None:
        if len(self.classes.names) > PALETTE_SIZE:
            image = Image.fromarray(labels)
        else:
            image = Image.fromarray(labels.astype(np.uint8), 'P')
            image.putpalette(np.asarray(self.classes.palette, np.uint8).tobytes())
        write_file(path, lambda file: image.save(file, 'PNG'))


def probabilities(scores: np.ndarray) -> np.ndarray:
    """Turns the scores of a picture [N, H, W] into probabilities, float16. A single map is already one.

    Example:
        >>> probabilities(np.zeros((4, 1, 1))).ravel().tolist()
        [0.25, 0.25, 0.25, 0.25]
    """
    return (softmax(scores) if len(scores) > 1 else scores).astype(np.float16)


def softmax(scores: np.ndarray) -> np.ndarray:
    """The softmax over the first axis.

    Example:
        >>> softmax(np.array([1000.0, 1000.0])).tolist()
        [0.5, 0.5]
    """
    powers = np.exp(scores - scores.max(0, keepdims=True))
    return powers / powers.sum(0, keepdims=True)
