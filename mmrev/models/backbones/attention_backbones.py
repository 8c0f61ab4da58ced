"""RA-Net's networks (Wang et al., Scientific Reports 2024) and the SE and CBAM baselines of its tables."""

from functools import partial

from mmrev.models.layers import CBAMAddition, ReverseAttentionAddition, SEAddition
from mmrev.models.layers.modified_grn import Activation, Aggregation, Normalization
from mmrev.registry import MODELS

from ..surgery.residual_blocks import add_attention
from .host_network import HostNetwork
from .torchvision_keys import AcceptTorchvisionKeys


class _ReverseAttention:
    def __init__(
        self,
        *args,
        aggregation: Aggregation = 'l2',
        normalization: Normalization = 'grn',
        activation: Activation = 'one_plus',
        eps: float = 1e-6,
        **kwargs,
    ) -> None:
        super().__init__(*args, **kwargs)
        add_attention(
            self,
            partial(
                ReverseAttentionAddition,
                inplace=True,
                aggregation=aggregation,
                normalization=normalization,
                activation=activation,
                eps=eps,
            ),
        )


class _SE:
    def __init__(self, *args, reduction: int = 16, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        add_attention(self, partial(SEAddition, reduction=reduction))


class _CBAM:
    def __init__(self, *args, reduction: int = 16, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        add_attention(self, partial(CBAMAddition, reduction=reduction))


class _ResNet(HostNetwork):
    network = 'ResNet'


class _MobileNetV2(AcceptTorchvisionKeys, HostNetwork):
    network = 'MobileNetV2'


@MODELS.register_module()
class RAResNet(_ReverseAttention, _ResNet):
    """ResNet with reverse attention in every block: ``F(x) + G(F(x)) * shortcut(x)`` (equations 2 and 8).

    A drop-in for the ``ResNet`` of mmseg, mmpretrain and mmdet: their arguments, stages and keys, and more keys
    (``layer1.0.addition.gate.gamma`` [C] and ``.temperature``). Plain ImageNet weights load, and give the plain
    network's output until ``gamma`` is trained.

    Args:
        args, kwargs: Those of the host's ``ResNet``, ``depth`` first.
        aggregation, normalization, activation, eps: The gate's, as in ModifiedGRN.

    Raises:
        HostError: No OpenMMLab package can be used.
        ConfigError: An option of the gate is unknown.

    Deviation: ``zero_init_residual`` is off unless asked for; the hosts switch it on. With it F(x) is 0 at first, and
    gamma gets no gradient before the second step.
    Reading: blocks whose shortcut is a convolution have a gate too, since figure 5 shows RA_5_1.
    """

    def __init__(self, *args, zero_init_residual: bool = False, **kwargs) -> None:
        super().__init__(*args, zero_init_residual=zero_init_residual, **kwargs)


@MODELS.register_module()
class SEResNet(_SE, _ResNet):
    """ResNet with squeeze-and-excitation after the last batch norm of every block; a drop-in as RAResNet is.

    Args:
        reduction: Channels over the width of the squeeze.
    """


@MODELS.register_module()
class CBAMResNet(_CBAM, _ResNet):
    """ResNet with CBAM after the last batch norm of every block; a drop-in as RAResNet is.

    Args:
        reduction: Channels over the width of the two MLPs.
    """


@MODELS.register_module()
class RAMobileNetV2(_ReverseAttention, _MobileNetV2):
    """MobileNetV2 with reverse attention in every block that has a shortcut; of any width (``widen_factor``).

    A drop-in for the ``MobileNetV2`` of mmseg, mmpretrain and mmdet, as RAResNet is for ResNet. Their weights load, and
    those of torchvision by another name of each key.
    """


@MODELS.register_module()
class SEMobileNetV2(_SE, _MobileNetV2):
    """MobileNetV2 with squeeze-and-excitation at the end of every block that has a shortcut; else as RAMobileNetV2."""


@MODELS.register_module()
class CBAMMobileNetV2(_CBAM, _MobileNetV2):
    """MobileNetV2 with CBAM at the end of every block that has a shortcut; else as RAMobileNetV2."""
