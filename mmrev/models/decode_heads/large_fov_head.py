"""DeepLabv2's two classifiers on a dilated ResNet (Chen et al., TPAMI 2018): LargeFOV and ASPP."""

from collections.abc import Sequence

from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmrev.errors import ConfigError
from mmrev.registry import MODELS


def dilated_classifier(in_channels: int, out_channels: int, dilation: int) -> nn.Conv2d:
    """A 3x3 convolution from features straight to class scores, of the same height and width."""
    return nn.Conv2d(in_channels, out_channels, 3, padding=dilation, dilation=dilation)


class ParallelSum(nn.ModuleList):
    """Runs its modules on the same input and adds their outputs up."""

    def forward(self, x: Tensor) -> Tensor:
        return sum(module(x) for module in self)


class DirectHead(BaseDecodeHead):
    """Base of heads without a hidden layer.

    ``channels``, the width of the hidden layer in mmseg's other heads, is accepted so that a config can change its
    ``type`` alone, and unused. Dropout is off by default: DeepLabv2's ResNet has none.

    Raises:
        ConfigError: ``input_transform='multiple_select'``: there is one classifier, so one feature map.
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        channels: int | None = None,
        *,
        dropout_ratio: float = 0.0,
        input_transform: str | None = None,
        # with its scope: another default scope has another loss of this name
        loss_decode: dict | list[dict] = dict(type='mmseg.CrossEntropyLoss', use_sigmoid=False),
        **kwargs,
    ) -> None:
        if input_transform == 'multiple_select':
            raise ConfigError(
                f"{type(self).__name__} classifies one feature map: use input_transform='resize_concat' "
                "or None instead of 'multiple_select'"
            )
        # every subclass replaces the base's own 1x1 classifier: one channel is the cheapest to make
        super().__init__(
            in_channels,
            channels=1,
            dropout_ratio=dropout_ratio,
            input_transform=input_transform,
            loss_decode=loss_decode,
            **kwargs,
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """From the backbone's feature maps, [B, C, H, W] each, to class scores [B, N, H, W]."""
        return self.cls_seg(self._transform_inputs(inputs))


@MODELS.register_module()
class LargeFOVHead(DirectHead):
    """DeepLabv2-LargeFOV: one dilated 3x3 convolution to the class scores.

    Args:
        in_channels: Channels of the feature map that is classified.
        num_classes: N.
        dilation: Of the classifier. 12 is LargeFOV; 1 is the plain 3x3 classifier ("Dil=0" in RAN's table 2).
        kwargs: As in mmseg's ``BaseDecodeHead``.
    """

    def __init__(
        self, in_channels: int | Sequence[int], channels: int | None = None, *, dilation: int = 12, **kwargs
    ) -> None:
        super().__init__(in_channels, channels, **kwargs)
        self.conv_seg = dilated_classifier(self.in_channels, self.out_channels, dilation)


@MODELS.register_module()
class ASPPV2Head(DirectHead):
    """DeepLabv2-ASPP on ResNet: parallel dilated 3x3 classifiers, summed. No pooling, no hidden layer, no norm.

    Args:
        in_channels: Channels of the feature map that is classified.
        num_classes: N.
        dilations: One classifier each.
        kwargs: As in mmseg's ``BaseDecodeHead``.
    """

    def __init__(
        self,
        in_channels: int | Sequence[int],
        channels: int | None = None,
        *,
        dilations: Sequence[int] = (6, 12, 18, 24),
        **kwargs,
    ) -> None:
        super().__init__(in_channels, channels, **kwargs)
        self.conv_seg = ParallelSum(dilated_classifier(self.in_channels, self.out_channels, d) for d in dilations)
