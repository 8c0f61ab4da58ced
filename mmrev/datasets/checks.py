"""Checks of the data in a config, before the model is built: nothing is missing, empty, unreadable or mislabelled."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS, TRANSFORMS, init_default_scope

from mmrev.errors import ConfigError, DataError
from mmrev.hosts import head_of

from .dataset_paths import class_name, downloads_itself, require_folders, require_paths, root_of
from .hints import beside, note_of, other_suffix
from .sources import how_to_get
from .spread import spread

# pipeline step -> the key of the file that it reads; only these steps run
LOADERS = {'LoadImageFromFile': 'img_path', 'LoadAnnotations': 'seg_map_path'}


@dataclass(frozen=True)
class Split:
    """The result of a check of one data set.

    Args:
        name: ``train``, ``val`` or ``test``.
        type: The class of the data set.
        root: Its folder.
        images: The number of images.
        looked_at: The number of images that were read.
        pixels: The number of pixels of each class in the masks that were read; empty without masks.
        note: A doubt about the masks, with its remedy; '' for none.

    Example:
        >>> print(Split('val', 'CamVidDataset', 'data/CamVid', images=101, looked_at=24))
        val: 101 images of CamVidDataset in data/CamVid (24 read and checked)
        >>> Split('val', 'X', '.', 1, 1, pixels={'sky': 1, 'road': 3}).histogram
        'sky 25.0%, road 75.0%'
    """

    name: str
    type: str
    root: str
    images: int
    looked_at: int
    pixels: dict[str, int] = field(default_factory=dict)
    note: str = ''

    def __str__(self) -> str:
        return f'{self.name}: {self.images} images of {self.type} in {self.root} ({self.looked_at} read and checked)'

    @property
    def histogram(self) -> str:
        """The share of each class in the pixels, in one line."""
        total = sum(self.pixels.values())
        return ', '.join(f'{name} {count / total:.1%}' for name, count in self.pixels.items())


def check_data(cfg: Config, splits: tuple[str, ...] = ('train', 'val'), samples: int | None = 24) -> list[Split]:
    """Checks the data sets of the data loaders in a config.

    Args:
        cfg: A config of any host.
        splits: The data loaders: ``train`` stands for ``train_dataloader``.
        samples: How many images (and masks) of each data set to read, evenly spaced; None reads all.

    Raises:
        DataError: A folder or list is missing, a split is empty, an image or mask is unreadable, a mask has another
            size than its image or a label beyond the classes.
        ConfigError: The head and the data set differ in the number of classes.

    Example:
        >>> cfg = Config(dict(train_dataloader=dict(dataset=dict(type='mmrev.CamVidDataset', data_root='none'))))
        >>> check_data(cfg)
        Traceback (most recent call last):
        mmrev.errors.DataError: CamVidDataset: none is missing ...
    """
    init_default_scope(cfg.get('default_scope') or 'mmengine')
    checked = []
    for name in splits:
        loader = cfg.get(f'{name}_dataloader')
        for dataset_cfg in leaf_datasets(loader['dataset']) if loader else ():
            if not downloads_itself(dataset_cfg):
                checked.append(_check(cfg, name, dataset_cfg, samples))
    return checked


def leaf_datasets(cfg: dict) -> Iterator[dict]:
    """Yields the configs inside RepeatDataset, ConcatDataset and other wrappers.

    Example:
        >>> [leaf['type'] for leaf in leaf_datasets(dict(type='RepeatDataset', dataset=dict(type='CamVidDataset')))]
        ['CamVidDataset']
    """
    inner = cfg.get('datasets', [cfg['dataset']] if 'dataset' in cfg else None)
    if inner is None:
        yield cfg
        return
    for part in inner:
        yield from leaf_datasets(part)


def require_classes(dataset: BaseDataset) -> None:
    """Checks that a segmentation data set names its classes.

    Raises:
        ConfigError: It names none. Its metrics would fail after the first training interval.
    """
    if not dataset.metainfo.get('classes'):
        raise ConfigError(
            f'the data set {type(dataset).__name__} names no classes, which its metrics need: '
            "give it metainfo=dict(classes=('road', ...), palette=[[128, 64, 128], ...])"
        )


def _check(cfg: Config, name: str, dataset_cfg: dict, samples: int | None) -> Split:
    kind = class_name(dataset_cfg['type'])
    require_folders(dataset_cfg)
    require_paths(dataset_cfg)
    dataset = _build(dataset_cfg, kind)
    if not len(dataset):
        suffix = f' (*{dataset.img_suffix})' if hasattr(dataset, 'img_suffix') else ''
        where = dataset_cfg.get('ann_file') or dataset_cfg.get('data_prefix')
        raise DataError(
            f'the {name} split of {kind} is empty: expected images{suffix} in {where} below '
            f'{root_of(dataset_cfg)}{other_suffix(dataset)}. Expected: {how_to_get(kind)}'
        )
    if name != 'train' and hasattr(dataset, 'reduce_zero_label'):
        require_classes(dataset)
    _check_classes(cfg, dataset, kind)
    load = [TRANSFORMS.build(step) for step in dataset_cfg.get('pipeline') or () if class_name(step['type']) in LOADERS]
    looked_at = spread(len(dataset), samples) if load else []
    counts = np.zeros(256, int)
    for index in looked_at:
        counts += _look(dataset.get_data_info(index), dataset, load)
    return Split(
        name=name,
        type=kind,
        root=root_of(dataset_cfg),
        images=len(dataset),
        looked_at=len(looked_at),
        pixels=_by_class(counts, dataset),
        note=note_of(counts, dataset),
    )


def _build(cfg: dict, kind: str) -> BaseDataset:
    try:
        # mmengine cannot serialize an empty list
        return DATASETS.build({**cfg, 'pipeline': [], 'serialize_data': False})
    except (AssertionError, OSError, RuntimeError, ValueError) as error:
        raise DataError(f'{kind}: {_first_line(error)}. Expected: {how_to_get(kind)}') from error


def _check_classes(cfg: Config, dataset: BaseDataset, kind: str) -> None:
    wanted, classes = head_of(cfg).get('num_classes'), dataset.metainfo.get('classes')
    if wanted is not None and classes is not None and wanted != len(classes):
        raise ConfigError(
            f'{kind} has {len(classes)} classes and the head num_classes={wanted}: set num_classes={len(classes)}'
        )


def _look(info: dict, dataset: BaseDataset, load: list[Callable[[dict], dict]]) -> np.ndarray:
    """Reads one sample, and returns the number of pixels [256] of each label in its mask."""
    for step in load:
        info = _load(info, step)
    # only mmseg's data sets map their masks to the classes
    classes = dataset.metainfo.get('classes') if hasattr(dataset, 'reduce_zero_label') else None
    mask = info.get('gt_seg_map')
    if classes is None or mask is None:
        return np.zeros(256, int)
    from .transforms import check_labels  # needs mmcv, which this module must not need

    check_labels(mask, info.get('ori_shape', mask.shape), len(classes), info['seg_map_path'], dataset.ignore_index)
    return np.bincount(mask.ravel(), minlength=256)


def _load(info: dict, step: Callable[[dict], dict]) -> dict:
    kind = type(step).__name__
    path = info.get(LOADERS[kind])
    if path is None and kind == 'LoadAnnotations' and 'img_path' in info and 'instances' not in info:
        raise DataError(
            f'{kind} reads masks, and the data set lists none: name their folder in data_prefix.seg_map_path, or take '
            f'{kind} out of the pipeline'
        )
    try:
        loaded = step(dict(info))
    except FileNotFoundError as error:
        hint = beside(path, LOADERS[type(step).__name__])
        raise DataError(
            f'{path} is missing, but the data set lists it: {hint}put it there, or take its image out of the data set'
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
