"""The names and colours of the classes of a trained model."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import DATASETS
from torch import nn

from mmrev.datasets.checks import leaf_datasets

from .classes import Classes, distinct_colors

HEADS = ('decode_head', 'head', 'roi_head.bbox_head', 'bbox_head', 'roi_head.mask_head', 'mask_head')


def find_classes(cfg: Config, checkpoint: Mapping[str, Any], model: nn.Module) -> Classes:
    """Finds the classes: in the checkpoint, else in the config, else in the class of its test data set.

    Names that are not as many as the model's classes are passed over. Without any names the classes are numbered.
    Without colours, colours far from each other are taken.
    """
    count = count_classes(model)
    found = [info for info in _infos(cfg, checkpoint) if count in (None, len(info.get('classes') or ()))]
    names = next((info['classes'] for info in found if info.get('classes')), None)
    names = list(map(str, names or [f'class {index}' for index in range(count or 0)]))
    palettes = (info.get('palette') for info in found if list(map(str, info.get('classes') or names)) == names)
    palette = next((colors for colors in palettes if _fits(colors, len(names))), None)
    return Classes(names, [list(map(int, color)) for color in palette or distinct_colors(names)])


def count_classes(model: nn.Module) -> int | None:
    """Returns the number of classes of a model of any host, or None if no head says it.

    Example:
        >>> model = nn.Module()
        >>> model.head = nn.Module()
        >>> model.head.num_classes = 3
        >>> count_classes(model)
        3
    """
    for path in HEADS:
        part: Any = model
        for name in path.split('.'):
            part = getattr(part, name, None)
        if isinstance(part, (nn.ModuleList, list)):
            part = part[-1]
        if isinstance(count := getattr(part, 'num_classes', None), int) and count > 0:
            return count
    return None


def _infos(cfg: Config, checkpoint: Mapping[str, Any]) -> Iterator[dict]:
    meta = checkpoint.get('meta') or {}
    # mmseg and mmdet before 1.0 and 3.0 wrote capitals
    for info in (meta.get('dataset_meta') or {}, meta):
        yield {key: info.get(key, info.get(key.upper())) for key in ('classes', 'palette')}
    loader = cfg.get('test_dataloader') or {}
    for dataset in leaf_datasets(loader['dataset']) if loader else ():
        yield dataset.get('metainfo') or {}
        kind = dataset['type']
        cls = DATASETS.get(kind) if isinstance(kind, str) else kind
        yield getattr(cls, 'METAINFO', {})


def _fits(palette: Any, count: int) -> bool:
    # mmdet also has names such as 'random' here
    return isinstance(palette, (list, tuple)) and len(palette) == count
