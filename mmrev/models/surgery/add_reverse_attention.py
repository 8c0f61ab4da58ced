"""Reverse attention in a network that its authors did not try: our extension of RA-Net (2024)."""

from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from torch import nn

from mmrev.errors import ConfigError
from mmrev.hosts import HOSTS, require_host
from mmrev.models.layers import ModifiedGRN, ReverseAttentionAddition

from .gated_branches import gate_branches
from .libraries import LIBRARIES
from .residual_blocks import add_attention


def add_reverse_attention(
    network: nn.Module | dict[str, Any], branches: Mapping[str, Sequence[tuple]] | None = None, **options: Any
) -> nn.Module:
    """Turns the residual blocks of a network into RA blocks, ``y = F(x) + G(F(x)) * x`` (equation 2 of RA-Net, 2024).

    It changes a network in place, with torch alone: ``add_reverse_attention(timm.create_model('resnet50'))``. In a
    config: ``backbone=dict(type='mmrev.add_reverse_attention', network=dict(type='ConvNeXt', arch='tiny'))``.
    The network keeps its class and its keys. Each branch gains a gate with ``gamma`` and ``temperature``. The output
    does not change until ``gamma`` is trained. Load the weights of the plain network before, or with ``strict=False``.

    Args:
        network: A built network, or its config. Known blocks are those of ResNet, MobileNetV2, ConvNeXt, ViT and Swin
            of torchvision, timm (1.0 and later), Hugging Face's transformers (no MobileNetV2), mmseg, mmpretrain and
            mmdet. Networks that use these blocks are known too: ResNeXt, wide ResNets, DeepLabv3, encoders of
            segmentation_models_pytorch and others.
        branches: Branches of further blocks that add their own input, by the name of the block's class. A branch is a
            pair: the part whose input is the shortcut x, and the part whose output is the residual F(x). For example
            ``{'Block': [('norm', 'mlp')]}``. The first part must have a ``weight`` [C, ...]; if it has none, or one of
            another width, a third entry names a part that has. A fourth entry True says that maps are [B, H, W, C].
        options: Those of ModifiedGRN.

    Returns:
        The same network.

    Raises:
        ConfigError: The network has no known block or has reverse attention already, or an option is unknown.

    Reading: the paper says that this form generalises residual learning, and tries it in ResNet and MobileNetV2 only.
    In a transformer, attention and feed-forward are one branch each. The norms of equation 3 run over all tokens,
    the class token included.

    Example:
        >>> from torchvision.models import resnet18
        >>> network = resnet18()
        >>> added = add_reverse_attention(network)
        >>> added is network, added.layer1[0].addition.gate.gamma.shape
        (True, torch.Size([64]))
    """
    built: nn.Module = _build(network) if isinstance(network, dict) else network
    name = type(built).__name__
    if any(isinstance(module, ModifiedGRN) for module in built.modules()):
        raise ConfigError(f'{name} has reverse attention already: add it once')
    added = add_attention(built, partial(ReverseAttentionAddition, inplace=True, **options))
    added += gate_branches(built, branches or {}, **options)
    if not added:
        raise ConfigError(
            f'{name} has no block that is known, that is, of ResNet, MobileNetV2, ConvNeXt, ViT and Swin in '
            f'{", ".join([*LIBRARIES, *HOSTS])}: name its own in branches=dict(Block=[(first part, last part)])'
        )
    return built


def _build(config: dict[str, Any]) -> nn.Module:
    require_host('mmengine', 'a network from its config')
    return import_module('mmrev.registry').MODELS.build(config)


if find_spec('mmengine'):  # without OpenMMLab there are no configs
    import_module('mmrev.registry').MODELS.register_module(module=add_reverse_attention)
