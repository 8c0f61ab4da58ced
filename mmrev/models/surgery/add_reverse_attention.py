from collections.abc import Mapping, Sequence
from functools import partial

from torch import nn

from mmrev.errors import ConfigError
from mmrev.models.layers import ModifiedGRN, ReverseAttentionAddition
from mmrev.registry import MODELS

from .gated_branches import Branch, gate_branches
from .residual_blocks import add_attention


@MODELS.register_module()
def add_reverse_attention(
    network: nn.Module | dict, branches: Mapping[str, Sequence[Branch]] | None = None, **options
) -> nn.Module:
    """Turns the residual blocks of a network into RA blocks, ``y = F(x) + G(F(x)) * x`` (equation 2 of RA-Net, 2024).

    In a config: ``backbone=dict(type='mmrev.add_reverse_attention', network=dict(type='ConvNeXt', arch='tiny'))``.
    The network keeps its class and its keys, gains ``gamma`` and ``temperature`` of a gate a branch, and gives the
    output that it gave until ``gamma`` is trained.

    Args:
        network: Built, or the config of one. Known blocks: those of ResNet and MobileNetV2 and of what is built of
            their blocks (ResNeXt, HRNet ...), ConvNeXt, ViT and Swin, of any host.
        branches: Further blocks that add their own input, by the name of their class: pairs of the part whose input
            is the shortcut x and the part whose output is the residual F(x), e.g. ``{'Block': [('norm', 'mlp')]}``.
            The first part has a ``weight`` [C, ...].
        options: Those of ModifiedGRN.

    Returns:
        The same network.

    Raises:
        ConfigError: No known block is in it, it has reverse attention already, or an option is unknown.

    Reading: the paper says that any residual learning generalises so, and tries it in ResNet and MobileNetV2 alone. In
    transformers the attention and the feed-forward part are a branch each, and the norms of equation 3 run over the
    tokens, a class token among them.
    """
    if isinstance(network, dict):
        network = MODELS.build(network)
    if any(isinstance(module, ModifiedGRN) for module in network.modules()):
        raise ConfigError(f'{type(network).__name__} has reverse attention already: add it once')
    added = add_attention(network, partial(ReverseAttentionAddition, inplace=True, **options))
    added += gate_branches(network, branches or {}, **options)
    if not added:
        raise ConfigError(
            f'{type(network).__name__} has no block that is known, that is, of ResNet, MobileNetV2, '
            'ConvNeXt, ViT and Swin: name its own in branches=dict(Block=[(first part, last part)])'
        )
    return network
