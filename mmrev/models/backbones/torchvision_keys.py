"""Loads weights of torchvision's MobileNetV2, whose keys differ from the hosts' keys."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn


class AcceptTorchvisionKeys(nn.Module):
    """Mixin of a host's MobileNetV2. ``load_state_dict`` also accepts torchvision's keys and the other hosts' keys.

    Example:
        >>> import torch
        >>> from mmrev.models import RAMobileNetV2
        >>> network = RAMobileNetV2()
        >>> incompatible = network.load_state_dict({'features.0.0.weight': torch.zeros(32, 3, 3, 3)}, strict=False)
        >>> incompatible.unexpected_keys, network.conv1.conv.weight.any().item()
        ([], False)
    """

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        names = dict(_aliases(self))
        for key in list(state_dict):
            layer, _, weight = key.removeprefix(prefix).rpartition('.')
            if key.startswith(prefix) and layer in names:
                state_dict[f'{prefix}{names[layer]}.{weight}'] = state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, *args)


def _aliases(network: nn.Module) -> Iterator[tuple[str, str]]:
    """Yields (the other name, the name here) of each convolution and batch norm that has two names."""
    yield from _pair('features.0.0', 'features.0.1', 'conv1')
    yield from _pair('features.18.0', 'features.18.1', 'conv2')
    for number, (name, block) in enumerate(_named_blocks(network), start=1):
        units = [path for path, module in block.named_modules() if isinstance(getattr(module, 'conv', None), nn.Conv2d)]
        for index, unit in enumerate(units):
            here, theirs = f'{name}.{unit}', f'features.{number}.conv.{index}'
            if index < len(units) - 1:
                yield from _pair(f'{theirs}.0', f'{theirs}.1', here)
            else:  # torchvision's last convolution has no activation, so it has no container of its own
                yield from _pair(theirs, f'features.{number}.conv.{index + 1}', here)
            if unit != f'conv.{index}':
                yield from _pair(f'{name}.conv.{index}.conv', f'{name}.conv.{index}.bn', here)
        for gate in ('addition.gate', 'addition.gate.normalize'):  # of mmrev.add_reverse_attention
            yield f'features.{number}.{gate}', f'{name}.{gate}'


def _named_blocks(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for stage in range(1, 8):
        for index, block in getattr(network, f'layer{stage}', nn.Sequential()).named_children():
            yield f'layer{stage}.{index}', block


def _pair(conv: str, norm: str, here: str) -> Iterator[tuple[str, str]]:
    yield conv, f'{here}.conv'
    yield norm, f'{here}.bn'
