"""Feature maps of several sizes, brought to the largest size.

Shapes: B batch, C channels, h x w a feature map.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def largest_size(maps: Sequence[Tensor]) -> torch.Size:
    """Returns the height and width of the map [B, C, h, w] with the most pixels.

    Example:
        >>> largest_size([torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 8, 6)])
        torch.Size([8, 6])
    """
    areas = [m.shape[2] * m.shape[3] for m in maps]
    return maps[areas.index(max(areas))].shape[2:]  # torch.compile cannot trace max with a key


def to_largest(maps: Sequence[Tensor], align_corners: bool) -> list[Tensor]:
    """Resizes maps [B, C_i, h_i, w_i] bilinearly to the size of the largest. That map is returned as it is.

    Example:
        >>> [m.shape[2:] for m in to_largest([torch.zeros(1, 3, 4, 4), torch.zeros(1, 2, 8, 8)], align_corners=False)]
        [torch.Size([8, 8]), torch.Size([8, 8])]
    """
    size = largest_size(maps)
    return [
        m if m.shape[2:] == size else F.interpolate(m, size, mode='bilinear', align_corners=align_corners) for m in maps
    ]
