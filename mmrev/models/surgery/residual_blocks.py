"""Turning the residual blocks of a network that is built already into blocks with attention.

Block classes of OpenMMLab's hosts are recognised by where they are defined, so that none of them is imported here. A
block of two branches that meet at its end (ResNet, MobileNetV2) gets a new `forward`; a block that adds its input to a
part of itself (ConvNeXt, ViT, Swin) keeps its own and has that part changed by hooks.
"""

from collections.abc import Callable
from functools import cache

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

# channels to a module that maps (residual, shortcut) to their sum
MakeAddition = Callable[[int], nn.Module]


class AttentiveBlock:
    """A host's block, less its `forward`; pickled and copied as the pair of classes that it is made of."""

    addition: nn.Module

    def __reduce__(self) -> tuple:
        mixin, host = type(self).__bases__
        return _blank, (mixin, host), self.__dict__

    def _sum(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        if self.with_cp and x.requires_grad:
            return checkpoint(self._sum, x, use_reentrant=False)
        return self._sum(x)


class AttentiveResNetBlock(AttentiveBlock):
    """`BasicBlock` and `Bottleneck`."""

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
    """MobileNetV2's block, of mmseg and mmpretrain, and that of mmdet."""

    def _sum(self, x: Tensor) -> Tensor:
        residual = self.conv(x) if hasattr(self, 'conv') else self._convolve(x)
        return self.addition(residual, x)

    def _convolve(self, x: Tensor) -> Tensor:
        parts = ('expand_conv', 'depthwise_conv', 'se', 'linear_conv', 'drop_path')
        for part in parts:
            if hasattr(self, part):
                x = getattr(self, part)(x)
        return x


def add_attention(network: nn.Module, make_addition: MakeAddition) -> int:
    """Gives every two-branch residual block of a network a learned addition; in MobileNetV2 those with a shortcut.

    The addition of a frozen block is frozen. Returns how many blocks there were.
    """
    blocks = [block for block in network.modules() if _mixin_of(block)]
    for block in blocks:
        frozen = not any(parameter.requires_grad for parameter in block.parameters())
        addition = make_addition(_out_channels(block)).train(block.training)
        block.addition = addition.requires_grad_(not frozen)
        block.__class__ = _attentive(_mixin_of(block), type(block))
    return len(blocks)


def source_of(block: nn.Module) -> str:
    """The path, down to its module, of the class that a block has its `forward` from."""
    owner = next(cls for cls in type(block).__mro__ if 'forward' in vars(cls))
    return f'{owner.__module__}.{owner.__name__}'


def _mixin_of(block: nn.Module) -> type | None:
    mixin = MIXINS.get(source_of(block))
    if (
        mixin is AttentiveInvertedResidual
        and not getattr(block, 'use_res_connect', None)
        and not getattr(block, 'with_res_shortcut', None)
    ):
        return None
    return mixin


def _out_channels(block: nn.Module) -> int:
    if hasattr(block, 'conv1'):
        return getattr(block, f'conv{_depth(block)}').out_channels
    return (block.conv[-1] if hasattr(block, 'conv') else block.linear_conv).out_channels


def _depth(block: nn.Module) -> int:
    return 3 if hasattr(block, 'conv3') else 2


@cache
def _attentive(mixin: type, host: type) -> type:
    return type(f'Attentive{host.__name__}', (mixin, host), {'__module__': mixin.__module__})


def _blank(mixin: type, host: type) -> nn.Module:
    cls = _attentive(mixin, host)
    return cls.__new__(cls)


MIXINS = {
    **{
        f'{host}.models.backbones.resnet.{block}': AttentiveResNetBlock
        for host in ('mmseg', 'mmpretrain', 'mmdet')
        for block in ('BasicBlock', 'Bottleneck')
    },
    **{
        f'{module}.InvertedResidual': AttentiveInvertedResidual
        for module in (
            'mmseg.models.utils.inverted_residual',
            'mmpretrain.models.backbones.mobilenet_v2',
            'mmdet.models.layers.inverted_residual',
        )
    },
}
