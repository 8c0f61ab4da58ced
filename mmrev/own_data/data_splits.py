"""Choosing the splits of the user's data, and saying which."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmrev.prediction.names import shown

from .request import Data
from .splits import Splits, from_folders, from_lists, with_validation


def find_splits(data: Data, counts: Mapping[str, np.ndarray]) -> Splits:
    """Finds the splits in the user's folders, lists or files; makes those that are missing, and adds a note.

    Args:
        data: The data.
        counts: The number of pixels (or objects) of each class in each image.
    """
    request = data.request
    found, says = _given(data)
    splits = with_validation(
        found or {'train': list(data.images)}, counts, request.val_share, request.seed, request.group_by
    )
    if found is None or 'val' not in found:
        grouped = f', grouped by the name up to the last {request.group_by!r}' if request.group_by else ''
        says = f'{says and f"{says}; "}validation taken at random, seed {request.seed}{grouped}'
    numbers = ', '.join(f'{len(names)} {split}' for split, names in splits.items())
    data.notes.append(f'splits: {numbers} ({says})')
    return splits


def _given(data: Data) -> tuple[Splits | None, str]:
    names, request = list(data.images), data.request
    if request.splits:
        return from_lists(request.splits, names), _lists(request.splits)
    if data.source.splits:
        return {split: list(part) for split, part in data.source.splits.items()}, 'the JSON files'
    if splits := from_folders(names):
        return splits, 'the folders of the images'
    for folder in (request.images, request.images.absolute().parent):
        if splits := from_lists(folder, names):
            return splits, _lists(folder)
    return None, ''


def _lists(folder: Path) -> str:
    return f'the lists in {shown(folder)}'
