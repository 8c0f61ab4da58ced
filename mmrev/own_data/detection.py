"""COCO's JSON for mmdetection's CocoDataset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmrev.prediction.metainfo import distinct_colors

from .data_splits import find_splits
from .objects import Annotations, as_coco
from .output import write_json
from .request import Data
from .segmentation import note_absent


@dataclass(frozen=True)
class WrittenBoxes:
    """The part of the config about the data.

    Args:
        classes: The names of the classes.
        palette: Their colours.
        images: The folder of the images.
        files: The JSON file of each split.
        counts: The number of images of each split.
        classes_file: A JSON file with names and colours, where they would fill too many lines.
    """

    classes: Sequence[str]
    palette: Sequence[Sequence[int]]
    images: Path
    files: Mapping[str, Path]
    counts: Mapping[str, int]
    classes_file: Path | None = None


def write_detection(objects: Annotations, data: Data, folder: Path) -> WrittenBoxes:
    """Writes a JSON file for each split.

    Args:
        objects: The objects.
        data: The data.
        folder: The folder to write into. It gets its name at the end.
    """
    final, classes = data.request.folder, list(objects.classes)
    data.notes.append(f'annotations: {objects.says}, converted into {final}')
    counts = {name: _count(objects, name) for name in data.images}
    splits = find_splits(data, counts)
    total = np.sum(list(counts.values()), 0)
    data.notes.append('classes: ' + ', '.join(f'{name} {number}' for name, number in zip(classes, total, strict=True)))
    trained = np.sum([counts[name] for name in splits['train']], 0)
    note_absent([name for name, number in zip(classes, trained, strict=True) if not number], data.notes)
    for split, names in splits.items():
        write_json(folder / f'{split}.json', as_coco(names, objects.objects, data.sizes, classes))
    palette = distinct_colors(classes)
    if given := data.given and data.given.palette:
        palette = [list(color) for color in given] if len(given) == len(classes) else palette
    return WrittenBoxes(
        classes,
        palette,
        data.request.images,
        {split: final / f'{split}.json' for split in splits},
        {split: len(names) for split, names in splits.items()},
    )


def _count(objects: Annotations, name: str) -> np.ndarray:
    labels = [item.label for item in objects.objects[name] if item.label is not None]
    return np.bincount(np.array(labels, int), minlength=len(objects.classes))
