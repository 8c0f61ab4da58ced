"""The networks of RA-Net (Wang et al., Scientific Reports 2024), and the SE and CBAM baselines of its tables.

Shapes: C output channels of a block.
"""

from functools import partial
from typing import Any

from mmrev.arguments import Count, Positive, checked
from mmrev.models.layers import CBAMAddition, ReverseAttentionAddition, SEAddition
from mmrev.models.layers.modified_grn import Activation, Aggregation, Normalization
from mmrev.registry import MODELS

from ..surgery.residual_blocks import add_attention
from .host_network import HostNetwork
from .torchvision_keys import AcceptTorchvisionKeys


@checked
class _ReverseAttention(HostNetwork):
    def __init__(
        self,
        *args: Any,
        aggregation: Aggregation = 'l2',
        normalization: Normalization = 'grn',
        activation: Activation = 'one_plus',
        eps: Positive = 1e-6,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        options: dict[str, Any] = dict(
            aggregation=aggregation, normalization=normalization, activation=activation, eps=eps
        )
        add_attention(self, partial(ReverseAttentionAddition, inplace=True, **options))


@checked
class _SE(HostNetwork):
    def __init__(self, *args: Any, reduction: Count = 16, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        add_attention(self, partial(SEAddition, reduction=reduction))


@checked
class _CBAM(HostNetwork):
    def __init__(self, *args: Any, reduction: Count = 16, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        add_attention(self, partial(CBAMAddition, reduction=reduction))


@MODELS.register_module()
class RAResNet(_ReverseAttention):
    """ResNet with reverse attention in every block: ``F(x) + G(F(x)) * shortcut(x)`` (equations 2 and 8).

    It is a drop-in for the ``ResNet`` of mmseg, mmpretrain and mmdet, with the same arguments, stages and keys. Each
    block has two more keys, such as ``layer1.0.addition.gate.gamma`` [C] and ``layer1.0.addition.gate.temperature``.
    Plain ImageNet weights load. They give the plain network's output until ``gamma`` is trained.

    Args:
        args: Those of the host's ``ResNet``; ``depth`` is the first.
        zero_init_residual: Whether the last batch norm of each block starts at 0.
        kwargs: Those of the host's ``ResNet``, and the options of the gate: ``aggregation``, ``normalization``,
            ``activation`` and ``eps``, as in ModifiedGRN.

    Raises:
        HostError: No OpenMMLab package can be used.
        ConfigError: An argument is unknown, or an option of the gate.

    Reading: blocks whose shortcut is a convolution have a gate too, because figure 5 shows RA_5_1.
    Deviation: ``zero_init_residual`` is off by default; the hosts switch it on. With it, F(x) is 0 at first, and
    ``gamma`` gets no gradient in the first step.

    Example:
        >>> import torch
        >>> network = RAResNet(depth=18, base_channels=8, stem_channels=8)
        >>> [tuple(feature.shape) for feature in network(torch.randn(1, 3, 64, 64))]
        [(1, 8, 16, 16), (1, 16, 8, 8), (1, 32, 4, 4), (1, 64, 2, 2)]
        >>> network.layer1[0].addition.gate.gamma.shape
        torch.Size([8])
    """

    network = 'ResNet'

    def __init__(self, *args: Any, zero_init_residual: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, zero_init_residual=zero_init_residual, **kwargs)


@MODELS.register_module()
class SEResNet(_SE):
    """ResNet with squeeze-and-excitation after the last batch norm of every block. It is a drop-in, as RAResNet is.

    Args:
        args: Those of the host's ``ResNet``.
        reduction: The number of channels divided by the width of the squeeze.
        kwargs: Those of the host's ``ResNet``.

    Example:
        >>> SEResNet(depth=18, reduction=8).layer1[0].addition.gate[0]
        Conv2d(64, 8, kernel_size=(1, 1), stride=(1, 1))
    """

    network = 'ResNet'


@MODELS.register_module()
class CBAMResNet(_CBAM):
    """ResNet with CBAM after the last batch norm of every block. It is a drop-in, as RAResNet is.

    Args:
        args: Those of the host's ``ResNet``.
        reduction: The number of channels divided by the width of the two MLPs.
        kwargs: Those of the host's ``ResNet``.

    Example:
        >>> CBAMResNet(depth=18).layer1[0].addition.spatial.kernel_size
        (7, 7)
    """

    network = 'ResNet'


@MODELS.register_module()
class RAMobileNetV2(AcceptTorchvisionKeys, _ReverseAttention):
    """MobileNetV2 with reverse attention in every block that has a shortcut.

    It is a drop-in for the ``MobileNetV2`` of mmseg, mmpretrain and mmdet, as RAResNet is for ``ResNet``. It loads
    their weights, and also torchvision's, whose keys have other names.

    Args:
        args: Those of the host's ``MobileNetV2``; ``widen_factor`` is the first.
        kwargs: Those of the host's ``MobileNetV2``, and the options of the gate, as in RAResNet.

    Example:
        >>> import torch
        >>> [feature.shape[1] for feature in RAMobileNetV2(widen_factor=0.5)(torch.randn(1, 3, 64, 64))]
        [16, 16, 48, 160]
    """

    network = 'MobileNetV2'


@MODELS.register_module()
class SEMobileNetV2(AcceptTorchvisionKeys, _SE):
    """MobileNetV2 with squeeze-and-excitation at the end of every block that has a shortcut. See RAMobileNetV2.

    Args:
        args: Those of the host's ``MobileNetV2``.
        reduction: The number of channels divided by the width of the squeeze.
        kwargs: Those of the host's ``MobileNetV2``.

    Example:
        >>> SEMobileNetV2(widen_factor=0.5).layer2[1].addition.gate[0].out_channels
        1
    """

    network = 'MobileNetV2'


@MODELS.register_module()
class CBAMMobileNetV2(AcceptTorchvisionKeys, _CBAM):
    """MobileNetV2 with CBAM at the end of every block that has a shortcut. See RAMobileNetV2.

    Args:
        args: Those of the host's ``MobileNetV2``.
        reduction: The number of channels divided by the width of the two MLPs.
        kwargs: Those of the host's ``MobileNetV2``.

    Example:
        >>> CBAMMobileNetV2(widen_factor=0.5).layer2[1].addition.spatial.kernel_size
        (7, 7)
    """

    network = 'MobileNetV2'
