"""The files and folders that the config of a data set names."""

import inspect
from pathlib import Path

from mmengine.registry import DATASETS

from mmrev.errors import ConfigError, DataError

from .sources import how_to_get


def class_name(kind: str | type) -> str:
    """Returns the name of a class without its scope.

    Example:
        >>> class_name('mmrev.CamVidDataset'), class_name(Path)
        ('CamVidDataset', 'Path')
    """
    # configs in mmengine's newer style hold classes instead of names
    return kind.rpartition('.')[2] if isinstance(kind, str) else kind.__name__


def require_folders(cfg: dict) -> None:
    """Checks that each folder of a data set's config is named.

    Raises:
        ConfigError: One is None. mmengine takes no None.

    Example:
        >>> require_folders(dict(type='CamVidDataset', data_prefix=dict(img_path='images', seg_map_path=None)))
        Traceback (most recent call last):
        mmrev.errors.ConfigError: CamVidDataset: data_prefix.seg_map_path=None: ...
    """
    prefix = cfg.get('data_prefix')
    for key, folder in prefix.items() if isinstance(prefix, dict) else ():
        if folder is None:
            raise ConfigError(
                f'{class_name(cfg["type"])}: data_prefix.{key}=None: give a folder below data_root. A data set without '
                'these files leaves the key out: data_prefix=dict(_delete_=True, ...)'
            )


def require_paths(cfg: dict) -> None:
    """Checks that each file and folder of a data set's config exists.

    Raises:
        DataError: One is missing.

    Example:
        >>> require_paths(dict(type='CamVidDataset', data_root='/'))
    """
    kind = class_name(cfg['type'])
    for path in _paths(cfg):
        if not path.exists():
            # a list of names is often inherited with a config, and one's own data have none
            listed = cfg.get('ann_file') and path == _paths(cfg)[-1] and path.suffix == '.txt'
            hint = " To take all images of the folder: set ann_file=''." if listed else ''
            raise DataError(
                f'{kind}: {path} is missing (data_root={cfg.get("data_root")!r}, from {Path.cwd()}).{hint} '
                f'Expected: {how_to_get(kind)}. To try the config without the data: train --quick'
            )


def downloads_itself(cfg: dict) -> bool:
    """Returns whether the data set is missing and its class downloads it, as mmpretrain's CIFAR10 does.

    Example:
        >>> downloads_itself(dict(type='NoSuchDataset', data_root='nowhere'))
        False
    """
    cls = DATASETS.get(cfg['type']) if isinstance(cfg['type'], str) else cfg['type']
    return (
        cls is not None
        and 'download' in inspect.signature(cls).parameters
        and cfg.get('download', True)
        and not all(path.exists() for path in _paths(cfg))
    )


def root_of(cfg: dict) -> str:
    """Returns the folder of a data set: its root, or without one the first folder of the data.

    Example:
        >>> root_of(dict(data_root='', data_prefix=dict(img_path='photos')))
        'photos'
    """
    return str(cfg.get('data_root') or next((path for path in _paths(cfg)[1:]), None))


def _paths(cfg: dict) -> list[Path]:
    root, prefix = str(cfg.get('data_root') or ''), cfg.get('data_prefix') or {}
    if '://' in root:
        return []
    parts = [*(prefix.values() if isinstance(prefix, dict) else [prefix]), cfg.get('ann_file')]
    return [Path(root), *(Path(root, part) for part in parts if part and '://' not in str(part))]
