"""Looks at a config's data before the model is built: what is missing, empty, unreadable or mislabelled."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, TRANSFORMS, init_default_scope

from mmrev.errors import ConfigError, DataError

from .sources import how_to_get

# The pipeline steps that are run on a sample, and the key of the file that each reads.
LOADERS = {'LoadImageFromFile': 'img_path', 'LoadAnnotations': 'seg_map_path'}


@dataclass(frozen=True)
class Split:
    """What is known of one data set of a config."""

    name: str
    type: str
    root: str
    images: int
    looked_at: int
    pixels: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f'{self.name}: {self.images} images of {self.type} in {self.root} ({self.looked_at} read and checked)'

    @property
    def histogram(self) -> str:
        """The share of every class in the masks that were read, in one line; empty without masks."""
        total = sum(self.pixels.values())
        return ', '.join(f'{name} {count / total:.1%}' for name, count in self.pixels.items())


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
    init_default_scope(cfg.get('default_scope') or 'mmengine')
    loaders = [(name, cfg.get(f'{name}_dataloader')) for name in splits]
    return [
        _check(cfg, name, dataset_cfg, samples)
        for name, loader in loaders
        if loader
        for dataset_cfg in leaf_datasets(loader['dataset'])
        if not _downloads_itself(dataset_cfg)
    ]


def leaf_datasets(cfg: dict) -> Iterator[dict]:
    """The configs inside RepeatDataset, ConcatDataset and their like."""
    inner = cfg.get('datasets', [cfg['dataset']] if 'dataset' in cfg else None)
    if inner is None:
        yield cfg
        return
    for part in inner:
        yield from leaf_datasets(part)


def _check(cfg: Config, name: str, dataset_cfg: dict, samples: int | None) -> Split:
    kind = _name(dataset_cfg['type'])
    _require_paths(dataset_cfg, kind)
    dataset = _build(dataset_cfg, kind)
    if not len(dataset):
        suffix = f' (*{dataset.img_suffix})' if hasattr(dataset, 'img_suffix') else ''
        where = dataset_cfg.get('ann_file') or dataset_cfg.get('data_prefix')
        raise DataError(
            f'the {name} split of {kind} is empty: expected images{suffix} in {where} below '
            f'{dataset_cfg.get("data_root")}. Expected: {how_to_get(kind)}'
        )
    _check_classes(cfg, dataset, kind)
    load = [TRANSFORMS.build(step) for step in dataset_cfg.get('pipeline') or () if _name(step['type']) in LOADERS]
    looked_at = _spread(len(dataset), samples) if load else []
    counts = sum((_look(dataset.get_data_info(int(index)), dataset, load) for index in looked_at), np.zeros(256, int))
    return Split(
        name=name,
        type=kind,
        root=str(dataset_cfg.get('data_root')),
        images=len(dataset),
        looked_at=len(looked_at),
        pixels=_by_class(counts, dataset),
    )


def _name(kind: str | type) -> str:
    # configs in mmengine's newer style hold classes
    return kind.rpartition('.')[2] if isinstance(kind, str) else kind.__name__


def _paths(cfg: dict) -> list[Path]:
    root, prefix = str(cfg.get('data_root') or ''), cfg.get('data_prefix') or {}
    parts = [*(prefix.values() if isinstance(prefix, dict) else [prefix]), cfg.get('ann_file')]
    paths = [root, *(Path(root, part) for part in parts if part and '://' not in str(part))]
    return [] if '://' in root else list(map(Path, paths))


def _downloads_itself(cfg: dict) -> bool:
    """Whether a data set is missing and will be fetched by its own class, as mmpretrain's CIFAR10 is."""
    cls = DATASETS.get(cfg['type']) if isinstance(cfg['type'], str) else cfg['type']
    return (
        cls is not None
        and 'download' in inspect.signature(cls).parameters
        and cfg.get('download', True)
        and not all(path.exists() for path in _paths(cfg))
    )


def _require_paths(cfg: dict, kind: str) -> None:
    for path in _paths(cfg):
        if not path.exists():
            raise DataError(
                f'{kind}: {path} is missing (data_root={cfg.get("data_root")!r}, from {Path.cwd()}). '
                f'Expected: {how_to_get(kind)}. To train without it for a try: --quick'
            )


def _build(cfg: dict, kind: str) -> BaseDataset:
    try:
        # mmengine cannot serialize an empty list
        return DATASETS.build({**cfg, 'pipeline': [], 'serialize_data': False})
    except (AssertionError, OSError, RuntimeError, ValueError) as error:
        raise DataError(f'{kind}: {_first_line(error)}. Expected: {how_to_get(kind)}') from error


def _check_classes(cfg: Config, dataset: BaseDataset, kind: str) -> None:
    head = cfg.model.get('decode_head') or cfg.model.get('head') or {}
    wanted, classes = getattr(head, 'num_classes', None), dataset.metainfo.get('classes')
    if wanted is not None and classes is not None and wanted != len(classes):
        raise ConfigError(
            f'{kind} has {len(classes)} classes and the head num_classes={wanted}: set num_classes={len(classes)}'
        )


def _spread(count: int, samples: int | None) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(samples or count, count)).astype(int))


def _look(info: dict, dataset: BaseDataset, load: list[Callable[[dict], dict]]) -> np.ndarray:
    """Reads one sample; the number of pixels [256] of each label in its mask."""
    for step in load:
        info = _load(info, step)
    # other hosts' semantic masks have labels of their own
    classes = dataset.metainfo.get('classes') if hasattr(dataset, 'reduce_zero_label') else None
    mask = info.get('gt_seg_map')
    if classes is None or mask is None:
        return np.zeros(256, int)
    from .transforms import check_labels  # needs mmcv, whose absence is a matter of load_config

    check_labels(mask, info.get('ori_shape', mask.shape), len(classes), info['seg_map_path'], dataset.ignore_index)
    return np.bincount(mask.ravel(), minlength=256)


def _load(info: dict, step: Callable[[dict], dict]) -> dict:
    path = info.get(LOADERS[type(step).__name__])
    try:
        loaded = step(dict(info))
    except FileNotFoundError as error:
        raise DataError(
            f'{path} is missing, and the data set counts on it: put it there, or take its image out of the set'
        ) from error
    except Exception as error:
        raise DataError(f'{path} cannot be read ({_first_line(error)}): fetch or export it again') from error
    if loaded is None:
        raise DataError(f'{path} cannot be read: fetch or export it again')
    return loaded


def _by_class(counts: np.ndarray, dataset: BaseDataset) -> dict[str, int]:
    if not counts.any():
        return {}
    classes = dataset.metainfo['classes']
    ignored = counts[dataset.ignore_index] if dataset.ignore_index >= len(classes) else 0
    return {**dict(zip(classes, counts[: len(classes)].tolist(), strict=True)), 'ignored': int(ignored)}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
