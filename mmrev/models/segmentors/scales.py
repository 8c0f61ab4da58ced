"""The scales at which a segmentor runs.

Shapes: B batch, H x W the image.
"""

from collections.abc import Sequence
from math import inf

import torch
from mmseg.models.utils import resize
from torch import Tensor

from mmrev.errors import ConfigError


def check_scales(scales: float | Sequence[float]) -> tuple[float, ...]:
    """Returns the scales as a tuple.

    Raises:
        ConfigError: There is no scale, one is given twice, or one is not a finite number above 0.

    Example:
        >>> check_scales([1, 0.5]), check_scales(0.75)
        ((1.0, 0.5), (0.75,))
    """
    given = tuple(scales) if isinstance(scales, Sequence) else (scales,)
    numbers = all(isinstance(scale, (int, float)) and 0 < scale < inf for scale in given)
    if not given or not numbers or len(set(given)) < len(given):
        raise ConfigError(f'scales={scales!r}: expected different factors above 0, such as (1.0, 0.75, 0.5)')
    return tuple(float(scale) for scale in given)


def rescale(images: Tensor, scale: float, align_corners: bool) -> Tensor:
    """Resizes images [B, 3, H, W] by a factor, to at least one pixel.

    With aligned corners a side has (H - 1) * scale + 1 pixels. The corners of the feature maps of all scales then
    lie on each other, as in DeepLab (321 -> 241 and 161). Without, a side has H * scale pixels, rounded down as
    everywhere in torch.

    Example:
        >>> import torch
        >>> image = torch.zeros(1, 3, 321, 321)
        >>> rescale(image, 0.5, align_corners=True).shape, rescale(image, 0.5, align_corners=False).shape
        (torch.Size([1, 3, 161, 161]), torch.Size([1, 3, 160, 160]))
    """
    if scale == 1:
        return images
    edge = int(align_corners)
    size = [_scaled(length - edge, scale, edge) for length in images.shape[2:]]
    return resize(images, size=size, mode='bilinear', align_corners=align_corners, warning=False)


def _scaled(length: int, scale: float, edge: int) -> int:
    if isinstance(length, torch.SymInt):  # int and max would make a constant of the size of an exported model's images
        return torch.sym_max(1, torch.sym_int(length * scale) + edge)
    return max(1, int(length * scale) + edge)


def name_scale(losses: dict[str, Tensor], scale: float) -> dict[str, Tensor]:
    """Puts the scale into the names of losses. Drops accuracies: only the fused scores have one.

    Example:
        >>> name_scale({'decode.loss_ce': 1.5, 'decode.acc_seg': 90.0}, 0.5)
        {'decode.scale_0.5.loss_ce': 1.5}
    """
    named = {}
    for name, value in losses.items():
        if 'loss' in name:
            head, rest = name.split('.', 1)
            named[f'{head}.scale_{scale:g}.{rest}'] = value
    return named
