"""How the outputs of several scales become one.

``MultiScaleEncoderDecoder`` knows a fusion only by the protocol :class:`Fusion`. ``ScaleAttentionHead`` satisfies it.
:class:`PlainFusion` makes the maximum, the mean and the modules of users satisfy it.

Shapes: B batch, N classes, h x w a score map, S scales.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol, runtime_checkable

import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmrev.errors import require_choice
from mmrev.registry import MODELS

from ..layers.resizing import to_largest

FuseMaps = Callable[[list[Tensor]], Tensor]


@runtime_checkable
class Fusion(Protocol):
    """The interface of a fusion. A segmentor calls nothing else.

    The segmentor calls ``check`` once, then for each batch: ``scale_features`` once a scale, ``attend`` once, and
    ``fuse`` once for each branch of the decode head.

    Args:
        attends: Whether the fusion has attention maps. Such a fusion also changes the scores of a single scale.
    """

    attends: bool

    def check(self, head: nn.Module, scales: Sequence[float], learns: bool) -> None:
        """Raises a ConfigError if the fusion does not fit.

        Args:
            head: The decode head.
            scales: The scales, in their order.
            learns: Whether the fused scores have losses.
        """

    def scale_features(self, features: Sequence[Tensor], index: int) -> Any:
        """Returns what the fusion keeps of the feature maps of scale number ``index``; None if it needs none."""

    def attend(self, scale_features: Sequence[Any]) -> Any:
        """Returns the attention maps, from what ``scale_features`` returned for each scale; None if it has none."""

    def fuse(self, scores: Sequence[Tensor], maps: Any) -> Tensor:
        """Fuses one tensor of each scale: score maps [B, N, h, w], or image-level scores [B, N]."""
        ...


@dataclass(frozen=True)
class PlainFusion:
    """A fusion that sees score maps alone, of one size: a function, or a module of the user.

    Args:
        function: Takes a list of S tensors and returns one.
        align_corners: How maps are resized to the largest. Image-level scores are not resized.

    Example:
        >>> maps = [torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 4, 4)]
        >>> PlainFusion(average, align_corners=False).fuse(maps).mean()
        tensor(0.5000)
    """

    function: FuseMaps
    align_corners: bool
    attends = False

    def check(self, head: nn.Module, scales: Sequence[float], learns: bool) -> None:
        pass

    def scale_features(self, features: Sequence[Tensor], index: int) -> None:
        return None

    def attend(self, scale_features: Sequence[None]) -> None:
        return None

    def fuse(self, scores: Sequence[Tensor], maps: None = None) -> Tensor:
        return self.function(to_largest(scores, self.align_corners) if scores[0].dim() == 4 else list(scores))


def largest(maps: list[Tensor]) -> Tensor:
    """The element-wise maximum.

    Example:
        >>> largest([torch.tensor([1, 5]), torch.tensor([3, 2])])
        tensor([3, 5])
    """
    return reduce(torch.maximum, maps)


def average(maps: list[Tensor]) -> Tensor:
    """The element-wise mean.

    Example:
        >>> average([torch.tensor([1, 5]), torch.tensor([3, 2])])
        tensor([2.0000, 3.5000])
    """
    return reduce(torch.add, maps) / len(maps)


FUSIONS: dict[str, FuseMaps] = {'max': largest, 'avg': average}


def build_fusion(fusion: str | dict) -> FuseMaps | nn.Module:
    """Finds a fusion by its name, or builds a module from its config.

    Raises:
        ConfigError: There is no fusion of that name.

    Example:
        >>> build_fusion('max')([torch.tensor([1, 5]), torch.tensor([3, 2])])
        tensor([3, 5])
    """
    if isinstance(fusion, dict):
        return MODELS.build(fusion)
    require_choice('fusion', fusion, FUSIONS, last=', or the config of a module')
    return FUSIONS[fusion]


def as_fusion(built: FuseMaps | nn.Module, align_corners: bool) -> Fusion:
    """Makes what :func:`build_fusion` returned satisfy the protocol.

    Example:
        >>> as_fusion(largest, align_corners=False).attends
        False
    """
    return built if isinstance(built, Fusion) else PlainFusion(built, align_corners)


def fuse_outputs(outputs: Sequence, fuse: FuseMaps) -> Any:
    """Fuses the outputs of all scales, tensor by tensor.

    Args:
        outputs: The output of each scale: a tensor, or a (named) tuple of tensors.
        fuse: Fuses one tensor of each scale.

    Returns:
        A fused output, of the type of each scale's output.

    Example:
        >>> scales = [(torch.tensor(1), torch.tensor(5)), (torch.tensor(3), torch.tensor(2))]
        >>> fuse_outputs(scales, largest)
        (tensor(3), tensor(5))
    """
    first = outputs[0]
    if not isinstance(first, (tuple, list)):
        return fuse(list(outputs))
    parts = [fuse_outputs(part, fuse) for part in zip(*outputs, strict=True)]
    return type(first)(*parts) if hasattr(first, '_fields') else type(first)(parts)


def fused_in_training(head: BaseDecodeHead) -> str:
    """Names the method of a decode head that gives what is fused in training.

    A head declares it in a class attribute ``fused_in_training``. Without one, it is ``forward_branches`` if the head
    has it, else ``forward``. A head with its own ``loss`` is not fused: only that method knows its losses.

    Returns:
        ``'forward_branches'``, ``'forward'``, or ``'loss'`` if nothing is fused.

    Example:
        >>> from mmseg.models.decode_heads import FCNHead
        >>> fused_in_training(FCNHead(num_convs=0, in_channels=8, channels=8, num_classes=3, concat_input=False))
        'forward'
    """
    if hasattr(head, 'fused_in_training'):
        return head.fused_in_training
    if hasattr(head, 'forward_branches'):
        return 'forward_branches'
    return 'forward' if type(head).loss is BaseDecodeHead.loss else 'loss'


def fused_in_testing(head: BaseDecodeHead) -> str:
    """Names the method of a decode head that gives what is fused in testing.

    A head declares it in a class attribute ``fused_in_testing``. Without one, it is ``predict`` if the head has its own
    method of this name, else ``forward``.

    Returns:
        ``'forward'``, or ``'predict'`` if scores at the size of the image are fused.

    Example:
        >>> from mmseg.models.decode_heads import FCNHead
        >>> fused_in_testing(FCNHead(num_convs=0, in_channels=8, channels=8, num_classes=3, concat_input=False))
        'forward'
    """
    if hasattr(head, 'fused_in_testing'):
        return head.fused_in_testing
    return 'forward' if type(head).predict is BaseDecodeHead.predict else 'predict'
