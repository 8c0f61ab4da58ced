"""The three layouts that OpenMMLab's data sets read: lists of image and mask pairs, class folders, COCO's JSON.

There is one writer for each task. It takes the class of the data set, a config whose ``data_root`` is already a new
folder, the number of samples, their height and width, and a seed. It asks a data set that has read nothing yet for the
paths and the labels.
"""

import json
import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import mmcv
import numpy as np

from mmrev.datasets.checks import require_classes
from mmrev.errors import ConfigError

Writer = Callable[[type, dict, int, tuple[int, int], int], None]

CELL = 8  # images and masks are random in cells of 8 x 8 pixels


def slug(path: str) -> str:
    return re.sub(r'\W+', '_', path).strip('_')


def write_segmentation(cls: type, cfg: dict, length: int, size: tuple[int, int], seed: int) -> None:
    """Writes images and masks, and the list of their names where the config names such a file."""
    dataset = _build_lazily(cls, {**cfg, 'test_mode': False})  # in test_mode, missing classes are a bare assertion
    stem = _stem(cfg, dataset.ann_file or dataset.data_prefix['img_path'])
    rng, values = _rng(seed, stem), _legal_values(dataset)
    masks = dataset.data_prefix.get('seg_map_path')
    names = [f'{stem}_{index}' for index in range(length)]
    for name in names:
        _write_image(Path(dataset.data_prefix['img_path'], name + dataset.img_suffix), _random_image(rng, size))
        if masks is not None:
            _write_image(Path(masks, name + dataset.seg_map_suffix), _random_mask(rng, size, values))
    if dataset.ann_file:
        Path(dataset.ann_file).write_text('\n'.join(names) + '\n')


def write_classification(cls: type, cfg: dict, length: int, size: tuple[int, int], seed: int) -> None:
    """Writes a folder for each class, and ImageNet's ``meta/<split>.txt`` or the list that the config names.

    A data set without a list needs as many folders as classes. Most of them stay empty then.
    """
    root, split = Path(cfg['data_root']), cfg.get('split')
    if split and not cfg.get('ann_file'):
        _touch(root / 'meta' / f'{split}.txt')  # ImageNet reads this list only if it exists
    dataset = _build_lazily(cls, cfg)
    folder, stem = Path(dataset.img_prefix), _stem(cfg, dataset.ann_file or dataset.img_prefix)
    rng, num_classes = _rng(seed, stem), len(dataset.CLASSES or range(2))
    suffix = '.jpg' if '.jpg' in dataset.extensions else min(dataset.extensions)
    lines = []
    for index in range(length):
        label = index % num_classes
        name = f'class_{label:05d}/{stem}_{index}{suffix}'
        _write_image(folder / name, _random_image(rng, size))
        lines.append(f'{name} {label}' if dataset.with_label else name)
    if dataset.ann_file:
        Path(dataset.ann_file).write_text('\n'.join(lines) + '\n')
    elif dataset.with_label:
        for label in range(num_classes):
            (folder / f'class_{label:05d}').mkdir(exist_ok=True)


def write_coco(cls: type, cfg: dict, length: int, size: tuple[int, int], seed: int) -> None:
    """Writes COCO's JSON with two boxes for each image. The polygon of an object is the outline of its box."""
    dataset = _build_lazily(cls, cfg)
    folder, stem = Path(dataset.data_prefix['img']), _stem(cfg, dataset.ann_file)
    rng, names = _rng(seed, stem), dataset.metainfo['classes']
    files = [f'{stem}_{index}.jpg' for index in range(length)]
    for file in files:
        _write_image(folder / file, _random_image(rng, size))
    content = dict(
        info={},
        images=[dict(id=index, file_name=file, height=size[0], width=size[1]) for index, file in enumerate(files)],
        categories=[dict(id=index, name=name) for index, name in enumerate(names, start=1)],
        annotations=[_random_box(rng, index, index // 2, size, len(names)) for index in range(2 * length)],
    )
    Path(dataset.ann_file).write_text(json.dumps(content))


def _build_lazily(cls: type, cfg: dict) -> Any:
    """Builds a data set that knows its paths and suffixes, and has read nothing yet.

    Some classes need their folders and lists for this much.
    """
    root, prefix = Path(cfg['data_root']), cfg.get('data_prefix') or ''
    for folder in prefix.values() if isinstance(prefix, dict) else [prefix]:
        Path(root, folder or '').mkdir(parents=True, exist_ok=True)
    if cfg.get('ann_file'):
        _touch(root / cfg['ann_file'])
    options = {key: value for key, value in cfg.items() if key not in ('type', '_scope_')}
    return cls(**{**options, 'pipeline': [], 'lazy_init': True})


def _touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def _stem(cfg: dict, source: str) -> str:
    return slug(os.path.splitext(os.path.relpath(source, cfg['data_root']))[0]) or 'image'


def _rng(seed: int, stem: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(stem.encode())])


def _legal_values(dataset: Any) -> np.ndarray:
    """Lists the values that a mask may have on disk: each class, and one value that is ignored."""
    names = type(dataset).METAINFO.get('classes')  # all of them, also where the config selects some
    if not names:
        require_classes(dataset)
        names = dataset.metainfo['classes']
    classes = np.arange(len(names))
    return np.append(classes + 1, 0) if dataset.reduce_zero_label else np.append(classes, dataset.ignore_index)


def _random_image(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    coarse = rng.integers(0, 256, (*_cells(size), 3), dtype=np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_LINEAR)


def _random_mask(rng: np.random.Generator, size: tuple[int, int], values: np.ndarray) -> np.ndarray:
    coarse = rng.choice(values, _cells(size)).astype(np.uint8)
    return cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_NEAREST)


def _cells(size: tuple[int, int]) -> tuple[int, ...]:
    return tuple(-(-edge // CELL) for edge in size)


def _random_box(rng: np.random.Generator, index: int, image: int, size: tuple[int, int], num_classes: int) -> dict:
    y, h = _random_interval(rng, size[0])
    x, w = _random_interval(rng, size[1])
    return dict(
        id=index + 1,
        image_id=image,
        category_id=int(rng.integers(num_classes)) + 1,
        bbox=[x, y, w, h],
        area=w * h,
        iscrowd=0,
        segmentation=[[x, y, x + w, y, x + w, y + h, x, y + h]],
    )


def _random_interval(rng: np.random.Generator, edge: int) -> tuple[int, int]:
    """Draws a start and a length within an edge of the image."""
    return int(rng.integers(edge // 2)), int(rng.integers(edge // 4, edge // 2))


def _write_image(path: Path, image: np.ndarray) -> None:
    if not cv2.haveImageWriter(str(path)):
        raise ConfigError(
            f'no tiny copy of {path.suffix} files can be made, only of images that OpenCV writes, such as .jpg and '
            '.png: check img_suffix and seg_map_suffix'
        )
    mmcv.imwrite(image, str(path))
