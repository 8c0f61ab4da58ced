"""Feature maps of several sizes brought to the largest of them."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def largest_size(maps: Sequence[Tensor]) -> torch.Size:
    """Height and width of the map [B, C, h, w] with most pixels."""
    areas = [m.shape[2] * m.shape[3] for m in maps]
    return maps[areas.index(max(areas))].shape[2:]  # torch.compile takes no max with a key


def to_largest(maps: Sequence[Tensor], align_corners: bool) -> list[Tensor]:
    """Resizes maps [B, C_i, h_i, w_i], bilinearly, to the size of the largest; that one is returned as it is."""
    size = largest_size(maps)
    return [
        m if m.shape[2:] == size else F.interpolate(m, size, mode='bilinear', align_corners=align_corners) for m in maps
    ]
