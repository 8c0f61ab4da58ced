"""A tiny copy of a data set's layout on disk, derived from the config that reads it."""

import copy
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from mmrev.errors import ConfigError

from .tiny_layouts import slug, write_classification, write_coco, write_segmentation

# The class at the root of each family, by name: mmdet's cannot be imported without mmcv's compiled operators.
LAYOUTS = {'BaseSegDataset': write_segmentation, 'CustomDataset': write_classification, 'CocoDataset': write_coco}
HOSTS = ('mmseg', 'mmpretrain', 'mmrev')


def make_tiny_dataset(
    dataset_cfg: dict, root: str | Path, *, length: int = 4, size: tuple[int, int] = (48, 64), seed: int = 0
) -> dict:
    """Write `length` random samples where the data set of `dataset_cfg` looks for them, below `root`.

    Understands every subclass of mmseg's BaseSegDataset, mmpretrain's CustomDataset (ImageNet among them), mmdet's
    CocoDataset, and wrappers around these. Splits that share a folder get different file names. `size` is
    (height, width) in pixels. Equal arguments write equal files.

    Returns a copy of the config that reads them: `data_root` is new, paths that led out of it are brought inside, and
    nothing is repeated (`times`) or selected (`indices`).

    Raises ConfigError if the type of data set is another one, or if its files are no images.
    """
    cfg = copy.deepcopy(dataset_cfg)
    options = dict(length=length, size=size, seed=seed)
    if 'datasets' in cfg:
        cfg['datasets'] = [make_tiny_dataset(part, root, **options) for part in cfg['datasets']]
        return cfg
    if 'dataset' in cfg:
        cfg['dataset'] = make_tiny_dataset(cfg['dataset'], root, **options)
        if 'times' in cfg:
            cfg['times'] = 1
        return cfg
    cls, write = _find_layout(cfg['type'])
    cfg.pop('indices', None)
    _move_paths(cfg, Path(root))
    write(cls, cfg, **options)
    return cfg


def _find_layout(kind: str | type) -> tuple:
    cls = _find_class(kind) if isinstance(kind, str) else kind
    lineage = [base.__name__ for base in cls.__mro__] if cls else [kind.removeprefix('mmdet.')]
    for name in lineage:
        if name in LAYOUTS:
            return cls, LAYOUTS[name]
    raise ConfigError(
        f'no tiny copy of a {kind} can be made, only of {", ".join(LAYOUTS)} and what derives from them '
        f'in {", ".join(HOSTS)}: check the spelling, or use one of these'
    )


def _find_class(kind: str) -> type | None:
    scope, _, name = kind.rpartition('.')
    for host in HOSTS:
        if scope in ('', host) and find_spec(host):
            cls = import_module(f'{host}.registry').DATASETS.get(name)
            if cls is not None:
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
