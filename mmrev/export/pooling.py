"""Adaptive average pooling that an exported model computes at every size.

Exporters make constants of the windows of ``nn.AdaptiveAvgPool2d``. The model then fails, or is silently wrong, at
another size than the first.

Shapes: B batch, C channels, H x W a map, h x w the pooled map.
"""

from typing import Any

import torch
from torch import Tensor, nn


class ExactPooling(nn.Module):
    """``nn.AdaptiveAvgPool2d`` as two products with matrices that are made from the size of the map.

    Args:
        size: (h, w). None leaves that side as it is.

    Shape:
        [B, C, H, W] -> [B, C, h, w].

    Example:
        >>> maps = torch.rand(1, 2, 7, 5)
        >>> torch.allclose(ExactPooling((3, 2))(maps), nn.AdaptiveAvgPool2d((3, 2))(maps))
        True
    """

    def __init__(self, size: tuple[int | None, int | None]) -> None:
        super().__init__()
        self.size = size

    def forward(self, maps: Tensor) -> Tensor:
        height, width = self.size
        if height is not None:
            maps = windows(maps.shape[2], height, maps) @ maps
        if width is not None:
            maps = maps @ windows(maps.shape[3], width, maps).T
        return maps


def windows(length: int, count: int, like: Tensor) -> Tensor:
    """The weight of each of ``length`` samples in each of ``count`` windows of adaptive pooling.

    Example:
        >>> windows(3, 2, torch.zeros(1))
        tensor([[0.5000, 0.5000, 0.0000],
                [0.0000, 0.5000, 0.5000]])
    """
    place = torch.arange(length, device=like.device)
    window = torch.arange(count, device=like.device)[:, None]
    # from floor(i * length / count) on, to ceil((i + 1) * length / count), in whole numbers
    inside = ((place + 1) * count > window * length) & (place * count < (window + 1) * length)
    inside = inside.to(like.dtype)
    return inside / inside.sum(1, keepdim=True)


def with_exact_pooling(network: nn.Module) -> nn.Module:
    """Replaces the adaptive average pooling of a network, except that over the whole map, in place."""
    for name, part in list(network.named_modules()):
        if isinstance(part, nn.AdaptiveAvgPool2d):
            size: Any = part.output_size
            size = size if isinstance(size, tuple) else (size, size)
            if size != (1, 1):
                parent, _, own = name.rpartition('.')
                setattr(network.get_submodule(parent), own, ExactPooling(size))
    return network
