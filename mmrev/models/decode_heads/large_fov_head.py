"""The two classifiers of DeepLabv2 on a dilated ResNet (Chen et al., TPAMI 2018): LargeFOV and ASPP.

Shapes: B batch, C channels, N classes, H x W the feature map.
"""

from collections.abc import Sequence

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmrev.arguments import Count, Counts, ObjectConfig, Share
from mmrev.errors import ConfigError
from mmrev.registry import MODELS

from ..layers.classifiers import dilated_classifier


class ParallelSum(nn.ModuleList):
    """Runs its modules on the same input and adds up their outputs.

    Example:
        >>> ParallelSum([nn.Identity(), nn.Identity()])(1.5)
        3.0
    """

    def forward(self, x: Tensor) -> Tensor:
        return sum(module(x) for module in self)


class DirectHead(BaseDecodeHead):
    """Base of the heads without a hidden layer.

    Other heads of mmseg have a hidden layer, and ``channels`` is its width. It is accepted here, so that a config can
    change only the ``type`` of its head, but it is not used. Dropout is off by default: DeepLabv2's ResNet has none.

    Raises:
        ConfigError: ``input_transform`` is ``'multiple_select'``. The head classifies a single feature map.
    """

    def __init__(
        self,
        in_channels: Count | Counts,
        channels: int | None = None,
        *,
        num_classes: Count,
        dropout_ratio: Share = 0.0,
        input_transform: str | None = None,
        # with its scope, because another default scope has another loss of this name
        loss_decode: ObjectConfig | list[ObjectConfig] = dict(type='mmseg.CrossEntropyLoss', use_sigmoid=False),
        **kwargs,
    ) -> None:
        if input_transform == 'multiple_select':
            raise ConfigError(
                f"{type(self).__name__} classifies one feature map: use input_transform='resize_concat' "
                "or None instead of 'multiple_select'"
            )
        # each subclass replaces the 1x1 classifier of the base: one channel is the cheapest to make
        super().__init__(
            in_channels,
            channels=1,
            num_classes=num_classes,
            dropout_ratio=dropout_ratio,
            input_transform=input_transform,
            loss_decode=loss_decode,
            **kwargs,
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Maps feature maps of the backbone, [B, C, H, W] each, to class scores [B, N, H, W]."""
        return self.cls_seg(self._transform_inputs(inputs))


@MODELS.register_module()
class LargeFOVHead(DirectHead):
    """DeepLabv2-LargeFOV: one dilated 3x3 convolution to the class scores.

    Args:
        in_channels: C.
        channels: Not used. See :class:`DirectHead`.
        num_classes: N.
        dilation: The dilation of the classifier. 12 is LargeFOV, 1 is the plain 3x3 classifier ("Dil=0" in table 2 of
            RAN).
        kwargs: As in mmseg's ``BaseDecodeHead``.

    Shape:
        feature maps [B, C, H, W] -> scores [B, N, H, W].

    Example:
        >>> import torch
        >>> LargeFOVHead(in_channels=8, num_classes=5)([torch.zeros(1, 8, 16, 16)]).shape
        torch.Size([1, 5, 16, 16])
    """

    def __init__(
        self, in_channels: Count | Counts, channels: int | None = None, *, dilation: Count = 12, **kwargs
    ) -> None:
        super().__init__(in_channels, channels, **kwargs)
        self.conv_seg = dilated_classifier(self.in_channels, self.out_channels, dilation)


@MODELS.register_module()
class ASPPV2Head(DirectHead):
    """DeepLabv2-ASPP on ResNet: the sum of parallel dilated 3x3 classifiers.

    It has no pooling, no hidden layer and no norm.

    Args:
        in_channels: C.
        channels: Not used. See :class:`DirectHead`.
        num_classes: N.
        dilations: The dilation of each classifier.
        kwargs: As in mmseg's ``BaseDecodeHead``.

    Shape:
        feature maps [B, C, H, W] -> scores [B, N, H, W].

    Example:
        >>> import torch
        >>> ASPPV2Head(in_channels=8, num_classes=5)([torch.zeros(1, 8, 16, 16)]).shape
        torch.Size([1, 5, 16, 16])
    """

    def __init__(
        self, in_channels: Count | Counts, channels: int | None = None, *, dilations: Counts = (6, 12, 18, 24), **kwargs
    ) -> None:
        super().__init__(in_channels, channels, **kwargs)
        self.conv_seg = ParallelSum(dilated_classifier(self.in_channels, self.out_channels, d) for d in dilations)
