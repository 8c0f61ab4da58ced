"""Reverse attention in a network that its authors did not try: our extension of RA-Net (2024)."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from torch import nn

from mmrev.errors import ConfigError
from mmrev.hosts import Branch
from mmrev.models.layers import ModifiedGRN, ReverseAttentionAddition
from mmrev.registry import MODELS

from .gated_branches import gate_branches
from .residual_blocks import add_attention


@MODELS.register_module()
def add_reverse_attention(
    network: nn.Module | dict[str, Any], branches: Mapping[str, Sequence[Branch]] | None = None, **options: Any
) -> nn.Module:
    """Turns the residual blocks of a network into RA blocks, ``y = F(x) + G(F(x)) * x`` (equation 2 of RA-Net, 2024).

    In a config: ``backbone=dict(type='mmrev.add_reverse_attention', network=dict(type='ConvNeXt', arch='tiny'))``.
    The network keeps its class and its keys. Each branch gains a gate with ``gamma`` and ``temperature``. The output
    does not change until ``gamma`` is trained.

    Args:
        network: A built network, or its config. Known blocks are those of ResNet, MobileNetV2, ConvNeXt, ViT and Swin,
            and so are networks that use these blocks (ResNeXt, HRNet and others). :data:`mmrev.hosts.HOSTS` lists them.
        branches: Branches of further blocks that add their own input, by the name of the block's class. A branch is a
            pair: the part whose input is the shortcut x, and the part whose output is the residual F(x). For example
            ``{'Block': [('norm', 'mlp')]}``. The first part must have a ``weight`` [C, ...].
        options: Those of ModifiedGRN.

    Returns:
        The same network.

    Raises:
        ConfigError: The network has no known block or has reverse attention already, or an option is unknown.

    Reading: the paper says that this form generalises residual learning, and tries it in ResNet and MobileNetV2 only.
    In a transformer, attention and feed-forward are one branch each. The norms of equation 3 run over all tokens,
    the class token included.

    Example:
        >>> from mmrev.registry import MODELS
        >>> network = MODELS.build(dict(type='ResNet', depth=18))
        >>> added = add_reverse_attention(network)
        >>> added is network, added.layer1[0].addition.gate.gamma.shape
        (True, torch.Size([64]))
    """
    built: nn.Module = MODELS.build(network) if isinstance(network, dict) else network
    name = type(built).__name__
    if any(isinstance(module, ModifiedGRN) for module in built.modules()):
        raise ConfigError(f'{name} has reverse attention already: add it once')
    added = add_attention(built, partial(ReverseAttentionAddition, inplace=True, **options))
    added += gate_branches(built, branches or {}, **options)
    if not added:
        raise ConfigError(
            f'{name} has no block that is known, that is, of ResNet, MobileNetV2, ConvNeXt, ViT and Swin: name its own '
            'in branches=dict(Block=[(first part, last part)])'
        )
    return built
