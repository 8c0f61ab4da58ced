"""How the score maps of several scales become one."""

from collections.abc import Callable, Sequence
from functools import reduce

import torch
from torch import Tensor

from mmrev.errors import ConfigError
from mmrev.registry import MODELS

from ..layers.resizing import to_largest

Fusion = Callable[[list[Tensor]], Tensor]


def largest(maps: list[Tensor]) -> Tensor:
    """The element-wise maximum."""
    return reduce(torch.maximum, maps)


def average(maps: list[Tensor]) -> Tensor:
    """The element-wise mean."""
    return sum(maps) / len(maps)


FUSIONS: dict[str, Fusion] = {'max': largest, 'avg': average}


def build_fusion(fusion: str | dict) -> Fusion:
    """A fusion by its name, or a module from its config."""
    if isinstance(fusion, dict):
        return MODELS.build(fusion)
    if not isinstance(fusion, str) or fusion not in FUSIONS:
        known = ', '.join(map(repr, FUSIONS))
        raise ConfigError(f'unknown fusion {fusion!r}: use one of {known}, or the config of a module')
    return FUSIONS[fusion]


def at_largest(fusion: Fusion, align_corners: bool) -> Fusion:
    """The fusion of maps [B, N, h, w] at the size of the largest; what is no map is fused as it is."""

    def fuse(outputs: list[Tensor]) -> Tensor:
        return fusion(to_largest(outputs, align_corners) if outputs[0].dim() == 4 else outputs)

    return fuse


def fuse_scores(outputs: Sequence, fusion: Fusion):
    """Fuses one output a scale, each a tensor or the same (named) tuple of them, tensor by tensor."""
    first = outputs[0]
    if isinstance(first, (tuple, list)):
        parts = [fuse_scores(part, fusion) for part in zip(*outputs, strict=True)]
        return type(first)(*parts) if hasattr(first, '_fields') else type(first)(parts)
    return fusion(list(outputs))
