"""A tiny copy of a data set's layout on disk, made from the config that reads the data set."""

import copy
from importlib import import_module
from pathlib import Path
from typing import Any

from mmrev.datasets.dataset_paths import require_folders
from mmrev.errors import ConfigError
from mmrev.hosts import HOSTS, host_problem, require_host

from .tiny_layouts import Writer, slug, write_classification, write_coco, write_segmentation

WRITERS: dict[str, Writer] = {
    'segmentation': write_segmentation,
    'classification': write_classification,
    'detection': write_coco,
}


def make_tiny_dataset(
    dataset_cfg: dict, root: str | Path, *, length: int = 4, size: tuple[int, int] = (48, 64), seed: int = 0
) -> dict:
    """Writes a few random samples below ``root``, where the data set of the config looks for them.

    It imitates mmdet's CocoDataset, most subclasses of mmseg's BaseSegDataset and of mmpretrain's CustomDataset (such
    as ImageNet), and wrappers around these. Splits that share a folder get different file names. Equal arguments write
    equal files.

    Args:
        dataset_cfg: The config of the data set. It is not changed.
        root: The folder to write to.
        length: The number of samples.
        size: The height and width of the images, in pixels.
        seed: The seed of the random samples.

    Returns:
        A copy of the config that reads the samples. It has a new ``data_root``, and no path leads out of it. It repeats
        nothing (``times``) and selects nothing (``indices``).

    Raises:
        ConfigError: The data set is of another type, names no classes, or has files that are no images.
        HostError: The data set's package is missing.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> folders = dict(img_path='train', seg_map_path='trainannot')
        >>> cfg = dict(type='mmrev.CamVidDataset', data_root='data/CamVid', data_prefix=folders)
        >>> with TemporaryDirectory() as folder:
        ...     tiny = make_tiny_dataset(cfg, folder, length=1)
        ...     sorted(path.name for path in Path(tiny['data_root']).rglob('*.*'))
        ['train_0.png', 'train_0.png']
    """
    cfg = copy.deepcopy(dataset_cfg)
    options: dict[str, Any] = dict(length=length, size=size, seed=seed)
    if 'datasets' in cfg:
        cfg['datasets'] = [make_tiny_dataset(part, root, **options) for part in cfg['datasets']]
        return cfg
    if 'dataset' in cfg:
        cfg['dataset'] = make_tiny_dataset(cfg['dataset'], root, **options)
        if 'times' in cfg:
            cfg['times'] = 1
        return cfg
    require_folders(cfg)
    cls, write = _find_layout(cfg['type'])
    cfg.pop('indices', None)
    _move_paths(cfg, Path(root))
    write(cls, cfg, length, size, seed)
    return cfg


def _find_layout(kind: str | type) -> tuple[type, Writer]:
    cls = _find_class(kind) if isinstance(kind, str) else kind
    if cls is not None:
        for host in HOSTS.values():
            # subclasses of CocoDataset, such as LVIS, read other JSON files
            family = cls.__mro__[:1] if host.task == 'detection' else cls.__mro__
            if host.dataset in [base.__name__ for base in family]:
                return cls, WRITERS[host.task]
    raise ConfigError(
        f'no tiny copy of a {kind} can be made, only of {", ".join(host.dataset for host in HOSTS.values())} and most '
        'of their subclasses: check the spelling, or use one of these'
    )


def _find_class(kind: str) -> type | None:
    scope, _, name = kind.rpartition('.')
    for package in (*HOSTS, 'mmrev'):
        if scope not in ('', package):
            continue
        host = HOSTS.get(package)
        if host and (scope or name == host.dataset):
            require_host(package, kind, host.operators)
        if host and host_problem(package, host.operators):
            continue
        if cls := import_module(f'{package}.registry').DATASETS.get(name):
            return cls
    return None


def _move_paths(cfg: dict, root: Path) -> None:
    # a folder for each old root: two data sets of one config may use the same relative paths
    cfg['data_root'] = str(root / (slug(cfg.get('data_root') or '') or 'data'))
    if cfg.get('ann_file'):
        cfg['ann_file'] = _inside(cfg['ann_file'])
    prefix = cfg.get('data_prefix')
    if isinstance(prefix, dict):
        for key, path in prefix.items():
            prefix[key] = _inside(path)
    elif prefix:
        cfg['data_prefix'] = _inside(prefix)


def _inside(path: str | None) -> str | None:
    if path and ('..' in Path(path).parts or Path(path).is_absolute()):
        return str(Path(*[part for part in Path(path).parts if part not in ('..', Path(path).anchor)]))
    return path
