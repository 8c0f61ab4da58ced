"""Turns the residual blocks of a built network into blocks with attention.

Two kinds of blocks exist. Blocks of ResNet and MobileNetV2 have two branches that meet at the end; this module gives
them another ``forward``, see :mod:`.class_mixing`. Blocks of ConvNeXt, ViT and Swin add their input to a part of
themselves; :mod:`.gated_branches` changes that part with hooks. ``HOSTS`` and ``LIBRARIES`` list both kinds by the path
of their class, so no host and no library is imported here.

Shapes: B batch, C channels, H x W the feature map.
"""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmrev.hosts import HOSTS, Host

from .class_mixing import Mixin, mix_in
from .libraries import LIBRARIES, Library

# the number of channels -> a module that maps (residual, shortcut) to their sum
MakeAddition = Callable[[int], nn.Module]


class AttentiveBlock(Mixin):
    """Mixin of a block whose ``addition`` joins the residual F(x) and the shortcut.

    Shape:
        x [B, C, H, W] -> the block's output, as in the block's own class.
    """

    addition: nn.Module
    with_cp: bool

    @staticmethod
    def width(block: Any) -> int:
        """Returns C of a block that is not mixed yet."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        if getattr(self, 'with_cp', False) and x.requires_grad:
            return checkpoint(self._sum, x, use_reentrant=False)
        return self._sum(x)

    def _sum(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class AttentiveResNetBlock(AttentiveBlock):
    """Mixin of the ``BasicBlock`` and ``Bottleneck`` of the hosts and of torchvision."""

    relu: nn.Module
    downsample: nn.Module | None
    drop_path: nn.Module
    forward_plugin: Callable[[Tensor, list[str]], Tensor]

    @staticmethod
    def width(block: Any) -> int:
        return getattr(block, f'conv{_depth(block)}').out_channels

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(super().forward(x))

    def _sum(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.addition(self._residual(x), shortcut)

    def _residual(self, x: Tensor) -> Tensor:
        last, norm = _depth(self), 'norm' if hasattr(self, 'norm1') else 'bn'  # torchvision has bn1
        for index in range(1, last + 1):
            x = getattr(self, f'{norm}{index}')(getattr(self, f'conv{index}')(x))
            if index < last:
                x = self.relu(x)
            if getattr(self, 'with_plugins', False):
                x = self.forward_plugin(x, getattr(self, f'after_conv{index}_plugin_names'))
        return self.drop_path(x) if hasattr(self, 'drop_path') else x


class AttentiveTimmBlock(AttentiveBlock):
    """Mixin of timm's ``BasicBlock`` and ``Bottleneck``."""

    downsample: nn.Module | None

    @staticmethod
    def width(block: Any) -> int:
        return getattr(block, f'conv{_depth(block)}').out_channels

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self, f'act{_depth(self)}')(super().forward(x))

    def _sum(self, x: Tensor) -> Tensor:
        first: Sequence[str] = ('conv1', 'bn1', 'drop_block', 'act1', 'aa', 'conv2', 'bn2')
        if _depth(self) == 3:
            first = ('conv1', 'bn1', 'act1', 'conv2', 'bn2', 'drop_block', 'act2', 'aa', 'conv3', 'bn3')
        residual = _run(self, (*first, 'se', 'drop_path'), x)
        return self.addition(residual, x if self.downsample is None else self.downsample(x))


class AttentiveTransformersBlock(AttentiveBlock):
    """Mixin of the ResNet blocks of Hugging Face's transformers."""

    layer: nn.Module
    shortcut: nn.Module
    activation: nn.Module

    @staticmethod
    def width(block: Any) -> int:
        return block.layer[-1].convolution.out_channels

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(super().forward(x))

    def _sum(self, x: Tensor) -> Tensor:
        return self.addition(self.layer(x), self.shortcut(x))


class AttentiveInvertedResidual(AttentiveBlock):
    """Mixin of MobileNetV2's block. Some hosts keep its layers in ``conv``, others one by one."""

    conv: nn.Module

    @staticmethod
    def width(block: Any) -> int:
        return getattr(block, 'out_channels', None) or _last_conv(block).out_channels

    def _sum(self, x: Tensor) -> Tensor:
        layers = ('expand_conv', 'depthwise_conv', 'se', 'linear_conv', 'drop_path')
        return self.addition(self.conv(x) if hasattr(self, 'conv') else _run(self, layers, x), x)


MIXINS: dict[str, type[AttentiveBlock]] = {
    'resnet': AttentiveResNetBlock,
    'timm_resnet': AttentiveTimmBlock,
    'transformers_resnet': AttentiveTransformersBlock,
    'inverted_residual': AttentiveInvertedResidual,
}


def add_attention(network: nn.Module, make_addition: MakeAddition) -> int:
    """Gives every residual block of two branches a learned addition. Blocks without a shortcut stay as they are.

    Args:
        network: A built network. It is changed in place.
        make_addition: Makes the addition of a block from the number of its output channels. The addition of a frozen
            block is frozen too.

    Returns:
        The number of blocks that got one.

    Example:
        >>> from mmrev.models.layers import SEAddition
        >>> from mmrev.registry import MODELS
        >>> network = MODELS.build(dict(type='ResNet', depth=18))
        >>> add_attention(network, SEAddition), type(network.layer1[0].addition).__name__
        (8, 'SEAddition')
    """
    count = 0
    for block in list(network.modules()):  # a list, because the loop adds modules
        mixin = _mixin_of(block)
        if mixin is None:
            continue
        weight = next(block.parameters())
        addition = make_addition(mixin.width(block)).train(block.training).to(weight.device)
        block.addition = addition.requires_grad_(any(parameter.requires_grad for parameter in block.parameters()))
        mix_in(block, mixin, type(block))
        count += 1
    return count


def host_and_path(block: nn.Module) -> tuple[Host | Library | None, str]:
    """Finds the class that defines a block's ``forward``.

    Returns:
        The host or library that it belongs to, or None, and the path of the class below that package.
    """
    owner = next(cls for cls in type(block).__mro__ if 'forward' in vars(cls))
    package, _, path = f'{owner.__module__}.{owner.__name__}'.partition('.')
    return HOSTS.get(package) or LIBRARIES.get(package), path


def _mixin_of(block: nn.Module) -> type[AttentiveBlock] | None:
    host, path = host_and_path(block)
    kind = host.blocks.get(path) if host else None
    if kind is None or (kind == 'inverted_residual' and not _has_shortcut(block)):
        return None
    return MIXINS[kind]


def _has_shortcut(block: nn.Module) -> bool:
    # the first name is that of mmseg, mmpretrain and torchvision, the second one mmdet's
    return any(getattr(block, name, False) for name in ('use_res_connect', 'with_res_shortcut'))


def _last_conv(block: Any) -> Any:
    return block.conv[-1] if hasattr(block, 'conv') else block.linear_conv


def _run(block: nn.Module, names: Sequence[str], x: Tensor) -> Tensor:
    """Runs those layers of a block that it has."""
    for name in names:
        layer = getattr(block, name, None)
        if layer is not None:
            x = layer(x)
    return x


def _depth(block: nn.Module) -> int:
    return 3 if hasattr(block, 'conv3') else 2
