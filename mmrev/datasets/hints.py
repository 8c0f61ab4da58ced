"""Hints about usual mistakes in data: other suffixes, and masks that start at 1."""

from collections import Counter
from pathlib import Path

import numpy as np
from mmengine.dataset import BaseDataset

PICTURES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
OPTIONS = {'img_path': 'img_suffix', 'seg_map_path': 'seg_map_suffix'}


def other_suffix(dataset: BaseDataset) -> str:
    """Names the suffix that images in the folder have, where none has the expected one."""
    folder = (getattr(dataset, 'data_prefix', None) or {}).get('img_path')
    if not hasattr(dataset, 'img_suffix') or not folder or not Path(folder).is_dir():
        return ''
    found = Counter(path.suffix for path in Path(folder).rglob('*') if path.suffix.lower() in PICTURES)
    if not found:
        return ''
    suffix, number = found.most_common(1)[0]
    return f'; {number} images there end with {suffix}: set img_suffix={suffix!r}'


def beside(path: str | None, key: str) -> str:
    """Names a file that differs from a missing one in its suffix alone.

    Example:
        >>> beside('no_such_folder/a.jpg', 'img_path')
        ''
    """
    file = Path(path or '')
    for other in sorted(file.parent.glob('*')) if path else ():
        if other.stem == file.stem and other.suffix.lower() in PICTURES:
            return f'a {other.suffix} of this name is there, so set {OPTIONS[key]}={other.suffix!r}, '
    return ''


def note_of(counts: np.ndarray, dataset: BaseDataset) -> str:
    """Says that class 0 does not occur although all labels above do, as in masks that start at 1."""
    classes = dataset.metainfo.get('classes') if hasattr(dataset, 'reduce_zero_label') else None
    if not classes or len(classes) < 2 or dataset.reduce_zero_label or counts[0] or not counts[1 : len(classes)].any():
        return ''
    return (
        f'the class {classes[0]!r} (label 0) does not occur: if the masks start at 1, set reduce_zero_label=True in '
        'the data set'
    )
