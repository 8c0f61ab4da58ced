"""Looks at a config's data before the model is built: what is missing, empty, unreadable or mislabelled."""
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mmcv
import numpy as np
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, init_default_scope

from mmrev.errors import ConfigError, DataError

from .sources import how_to_get


@dataclass(frozen=True)
class Split:
    """What is known of one data set of a config."""

    name: str
    type: str
    root: str
    images: int
    looked_at: int

    def __str__(self) -> str:
        return f'{self.name}: {self.images} images of {self.type} in {self.root} ({self.looked_at} read and checked)'


def check_data(cfg: Config, splits: tuple[str, ...] = ('train', 'val'), samples: int | None = 24) -> list[Split]:
    """Checks the data sets behind ``train_dataloader``, ``val_dataloader``, ...

    Args:
        cfg: A config of mmseg, mmpretrain or mmdet.
        splits: Which dataloaders.
        samples: How many images (and masks) of each data set to read, evenly spread; None reads all of them.

    Raises:
        DataError: A folder or list is missing, a split is empty, an image or mask is unreadable, a mask has another
            size than its image or a label beyond the classes.
        ConfigError: The head and the data set differ in the number of classes.
    """
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    found = []
    for name in splits:
        loader = cfg.get(f'{name}_dataloader')
        for dataset_cfg in _base_datasets(loader.dataset if loader else None):
            _require_paths(dataset_cfg)
            dataset = _build(dataset_cfg)
            if not len(dataset):
                raise DataError(f'the {name} split of {dataset_cfg.type} is empty: expected images listed in '
                                f'{dataset_cfg.get("ann_file") or "the folder " + str(dataset_cfg.get("data_prefix"))} '
                                f'below {dataset_cfg.get("data_root")}; {how_to_get(dataset_cfg.type)}')
            _check_classes(cfg, dataset, dataset_cfg.type)
            looked_at = _spread(len(dataset), samples)
            for index in looked_at:
                _check_sample(dataset, int(index))
            found.append(Split(name, dataset_cfg.type, str(dataset_cfg.get('data_root')), len(dataset), len(looked_at)))
    return found


def _base_datasets(cfg: dict | None) -> Iterator[dict]:
    """Unwraps RepeatDataset, ConcatDataset and their like."""
    if cfg is None:
        return
    inner = cfg.get('datasets', [cfg['dataset']] if 'dataset' in cfg else None)
    if inner is None:
        yield cfg
        return
    for part in inner:
        yield from _base_datasets(part)


def _require_paths(cfg: dict) -> None:
    root = Path(cfg.get('data_root') or '')
    prefix = cfg.get('data_prefix') or {}
    parts = [*(prefix.values() if isinstance(prefix, dict) else [prefix]), cfg.get('ann_file') or '']
    for path in [root, *(root / part for part in parts if part and '://' not in str(part))]:
        if not path.exists():
            raise DataError(f'{cfg["type"]}: {path} is missing (data_root={cfg.get("data_root")!r}, from {Path.cwd()}). '
                            f'Expected: {how_to_get(cfg["type"])}. To train without it for a try: --quick')


def _build(cfg: dict) -> BaseDataset:
    try:
        return DATASETS.build({**cfg, 'pipeline': []})
    except (FileNotFoundError, AssertionError) as error:
        raise DataError(f'{cfg["type"]}: {str(error).splitlines()[0]}; {how_to_get(cfg["type"])}') from error


def _check_classes(cfg: Config, dataset: BaseDataset, dataset_type: str) -> None:
    head = cfg.model.get('decode_head') or cfg.model.get('head') or {}
    wanted, classes = getattr(head, 'num_classes', None), dataset.metainfo.get('classes')
    if wanted is not None and classes is not None and wanted != len(classes):
        raise ConfigError(f'{dataset_type} has {len(classes)} classes and the head num_classes={wanted}: '
                          f'set num_classes={len(classes)}')


def _spread(count: int, samples: int | None) -> np.ndarray:
    return np.arange(count) if samples is None else np.unique(np.linspace(0, count - 1, min(samples, count)).astype(int))


def _check_sample(dataset: BaseDataset, index: int) -> None:
    info = dataset.get_data_info(index)
    path = info.get('img_path')
    if path is None or '://' in path:
        return
    image = _read(path)
    if info.get('seg_map_path'):
        # mmseg is only imported where a data set of it is in use
        from mmseg.datasets.transforms import LoadAnnotations

        from .transforms import check_labels
        _read(info['seg_map_path'])
        mask = LoadAnnotations().transform({'seg_fields': [], **info})['gt_seg_map']
        check_labels(mask, image.shape[:2], len(dataset.metainfo['classes']), info['seg_map_path'], dataset.ignore_index)


def _read(path: str) -> np.ndarray:
    if not Path(path).is_file():
        raise DataError(f'{path} is missing, and the list of images names it: put it there or take its line out')
    try:
        image = mmcv.imread(path, flag='unchanged')
    except Exception as error:
        raise DataError(f'{path} cannot be read as an image ({error}): fetch or export it again') from error
    if image is None:
        raise DataError(f'{path} cannot be read as an image: fetch or export it again')
    return image
