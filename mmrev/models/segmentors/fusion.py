"""How the score maps of several scales become one."""
from collections.abc import Callable, Sequence
from functools import reduce

import torch
from mmseg.models.utils import resize
from torch import Tensor

from mmrev.errors import ConfigError
from mmrev.registry import MODELS

Fusion = Callable[[list[Tensor]], Tensor]
FUSIONS: dict[str, Fusion] = {
    'max': lambda maps: reduce(torch.maximum, maps),
    'avg': lambda maps: sum(maps) / len(maps),
}


def build_fusion(fusion: str | dict) -> Fusion:
    """A fusion by its name, or a module from its config."""
    if isinstance(fusion, dict):
        return MODELS.build(fusion)
    if not isinstance(fusion, str) or fusion not in FUSIONS:
        known = ', '.join(map(repr, FUSIONS))
        raise ConfigError(f'unknown fusion {fusion!r}: use one of {known}, or the config of a module')
    return FUSIONS[fusion]


def fuse_scores(outputs: Sequence, fusion: Fusion, align_corners: bool):
    """Fuses one output a scale, each a tensor or the same (named) tuple of them.

    Maps [B, N, h, w] are resized to the largest first; tensors of other ranks (image-level scores) are fused as they
    are.
    """
    first = outputs[0]
    if isinstance(first, (tuple, list)):
        parts = [fuse_scores(part, fusion, align_corners) for part in zip(*outputs, strict=True)]
        return type(first)(*parts) if hasattr(first, '_fields') else type(first)(parts)
    if first.dim() == 4:
        outputs = _to_largest(outputs, align_corners)
    return fusion(list(outputs))


def _to_largest(maps: Sequence[Tensor], align_corners: bool) -> list[Tensor]:
    size = max((m.shape[2:] for m in maps), key=torch.Size.numel)
    return [m if m.shape[2:] == size else
            resize(m, size=size, mode='bilinear', align_corners=align_corners, warning=False) for m in maps]
