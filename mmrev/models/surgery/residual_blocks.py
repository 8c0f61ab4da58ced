"""Turns the residual blocks of a built network into blocks with attention.

Two kinds of blocks exist. Blocks of ResNet and MobileNetV2 have two branches that meet at the end; this module gives
them another ``forward``, see :mod:`.class_mixing`. Blocks of ConvNeXt, ViT and Swin add their input to a part of
themselves; :mod:`.gated_branches` changes that part with hooks. ``HOSTS`` lists both kinds by the path of their class,
so no host is imported here.

Shapes: B batch, C channels, H x W the feature map.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mmrev.hosts import HOSTS, Host

from .class_mixing import Mixin, mix_in

# the number of channels -> a module that maps (residual, shortcut) to their sum
MakeAddition = Callable[[int], nn.Module]


class AttentiveBlock(Mixin):
    """Mixin of a block whose ``addition`` joins the residual F(x) and the shortcut.

    Shape:
        x [B, C, H, W] -> the block's output, as in the host's block.
    """

    addition: nn.Module
    with_cp: bool

    def forward(self, x: Tensor) -> Tensor:
        if self.with_cp and x.requires_grad:
            return checkpoint(self._sum, x, use_reentrant=False)
        return self._sum(x)

    def _sum(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class AttentiveResNetBlock(AttentiveBlock):
    """Mixin of the hosts' ``BasicBlock`` and ``Bottleneck``."""

    relu: nn.Module
    downsample: nn.Module | None
    drop_path: nn.Module
    forward_plugin: Callable[[Tensor, list[str]], Tensor]

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(super().forward(x))

    def _sum(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.addition(self._residual(x), shortcut)

    def _residual(self, x: Tensor) -> Tensor:
        last = _depth(self)
        for index in range(1, last + 1):
            x = getattr(self, f'norm{index}')(getattr(self, f'conv{index}')(x))
            if index < last:
                x = self.relu(x)
            if getattr(self, 'with_plugins', False):
                x = self.forward_plugin(x, getattr(self, f'after_conv{index}_plugin_names'))
        return self.drop_path(x) if hasattr(self, 'drop_path') else x


class AttentiveInvertedResidual(AttentiveBlock):
    """Mixin of MobileNetV2's block. Some hosts keep its layers in ``conv``, others one by one."""

    conv: nn.Module

    def _sum(self, x: Tensor) -> Tensor:
        residual = self.conv(x) if hasattr(self, 'conv') else self._layers_one_by_one(x)
        return self.addition(residual, x)

    def _layers_one_by_one(self, x: Tensor) -> Tensor:
        for layer in ('expand_conv', 'depthwise_conv', 'se', 'linear_conv', 'drop_path'):
            if hasattr(self, layer):
                x = getattr(self, layer)(x)
        return x


MIXINS: dict[str, type[AttentiveBlock]] = {
    'resnet': AttentiveResNetBlock,
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
        addition = make_addition(_out_channels(block)).train(block.training)
        block.addition = addition.requires_grad_(any(parameter.requires_grad for parameter in block.parameters()))
        mix_in(block, mixin, type(block))
        count += 1
    return count


def host_and_path(block: nn.Module) -> tuple[Host | None, str]:
    """Finds the class that defines a block's ``forward``.

    Returns:
        The host that it belongs to, or None, and the path of the class below the host's package.
    """
    owner = next(cls for cls in type(block).__mro__ if 'forward' in vars(cls))
    package, _, path = f'{owner.__module__}.{owner.__name__}'.partition('.')
    return HOSTS.get(package), path


def _mixin_of(block: nn.Module) -> type[AttentiveBlock] | None:
    host, path = host_and_path(block)
    kind = host.blocks.get(path) if host else None
    if kind is None or (kind == 'inverted_residual' and not _has_shortcut(block)):
        return None
    return MIXINS[kind]


def _has_shortcut(block: nn.Module) -> bool:
    # the first name is mmseg's and mmpretrain's, the second one mmdet's
    return any(getattr(block, name, False) for name in ('use_res_connect', 'with_res_shortcut'))


def _out_channels(block: Any) -> int:
    if hasattr(block, 'conv1'):
        return getattr(block, f'conv{_depth(block)}').out_channels
    return (block.conv[-1] if hasattr(block, 'conv') else block.linear_conv).out_channels


def _depth(block: nn.Module) -> int:
    return 3 if hasattr(block, 'conv3') else 2
