"""Scales all image sizes of a config by one factor, so that crops, pads, resizes and windows still fit together."""

import copy
from collections.abc import Callable
from typing import Any

from mmengine import Config

SIZE_KEYS = {'size', 'crop_size', 'scale', 'scales', 'img_scale', 'max_size'}
TARGET = 64
# Smaller sizes stay: two iterations take seconds, and networks of a fixed input size use about 224.
SMALL_ENOUGH = 320
ALIGN = 32


def shrink_sizes(cfg: Config, target: int = TARGET) -> None:
    """Scales the sizes in pipelines, data preprocessors and test_cfg, in place. The smallest size becomes about 64.

    A size keeps its remainder modulo 32, because networks may depend on it: 769 becomes 65, and 512 becomes 64.

    Args:
        cfg: The config.
        target: The smallest size afterwards, without its remainder.
    """
    edges: list[int] = []

    def collect(edge: int) -> int:
        edges.append(edge)
        return edge

    # the test_cfg is left out: an inherited one still has a window after it is set to mode='whole'
    _map_sizes({**cfg, 'model': {**cfg.get('model', {}), 'test_cfg': None}}, collect)
    smallest = min(edges, default=0)
    if smallest <= SMALL_ENOUGH:
        return
    factor = target / (smallest - smallest % ALIGN)

    def shrink(edge: int) -> int:
        return ALIGN * round((edge - edge % ALIGN) * factor / ALIGN) + edge % ALIGN

    # new containers: parts of a config may be one object, which must not shrink twice
    for key, value in _map_sizes(dict(cfg), shrink).items():
        cfg[key] = value


def _map_sizes(node: Any, change: Callable[[int], int], inside: bool = False) -> Any:
    """Copies a part of a config and changes each length in pixels. ``inside`` says that the part may have sizes."""
    if isinstance(node, (list, tuple)):
        return type(node)(_map_sizes(part, change, inside) for part in node)
    if not isinstance(node, dict):
        return node
    new = copy.copy(node)
    for key, value in node.items():
        if inside and key in SIZE_KEYS:
            new[key] = _map_lengths(value, change)
        else:
            new[key] = _map_sizes(value, change, inside or _has_sizes(key))
    if inside and 'stride' in node and 'crop_size' in node:
        new['stride'] = _same_ratio(node['stride'], node['crop_size'], new['crop_size'])
    return new


def _has_sizes(key: str) -> bool:
    return key.endswith('pipeline') or key in ('data_preprocessor', 'test_cfg')


def _map_lengths(value: Any, change: Callable[[int], int]) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_map_lengths(part, change) for part in value)
    # floats and small integers are ratios
    return change(value) if isinstance(value, int) and value >= ALIGN else value


def _same_ratio(stride: Any, old: Any, new: Any) -> Any:
    """Gives a sliding window of another size a stride of the same share of the window."""
    if isinstance(stride, (list, tuple)):
        return type(stride)(map(_same_ratio, stride, old, new))
    return max(1, stride * new // old)
