"""Weights of torchvision's MobileNetV2, whose keys differ from the hosts'."""

from collections.abc import Iterator

from torch import Tensor, nn


class AcceptTorchvisionKeys:
    """Mixin of a MobileNetV2: its `load_state_dict` takes torchvision's names, and among the hosts the others'."""

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args) -> None:
        names = dict(_aliases(self))
        for key in list(state_dict):
            layer, _, weight = key.removeprefix(prefix).rpartition('.')
            if key.startswith(prefix) and layer in names:
                state_dict[f'{prefix}{names[layer]}.{weight}'] = state_dict.pop(key)
        super()._load_from_state_dict(state_dict, prefix, *args)


def _aliases(network: nn.Module) -> Iterator[tuple[str, str]]:
    """(another library's name of a layer, the name here) of each convolution and batch norm that have two."""
    blocks = [
        (f'layer{stage}.{index}', block)
        for stage in range(1, 8)
        if hasattr(network, f'layer{stage}')
        for index, block in enumerate(getattr(network, f'layer{stage}'))
    ]
    yield from _pair('features.0.0', 'features.0.1', 'conv1')
    yield from _pair('features.18.0', 'features.18.1', 'conv2')
    for number, (name, block) in enumerate(blocks, start=1):
        units = [path for path, module in block.named_modules() if isinstance(getattr(module, 'conv', None), nn.Conv2d)]
        for index, unit in enumerate(units):
            here, theirs = f'{name}.{unit}', f'features.{number}.conv.{index}'
            if index < len(units) - 1:
                yield from _pair(f'{theirs}.0', f'{theirs}.1', here)
            else:  # the last has no activation, and no folder of its own
                yield from _pair(theirs, f'features.{number}.conv.{index + 1}', here)
            if unit != f'conv.{index}':
                yield from _pair(f'{name}.conv.{index}.conv', f'{name}.conv.{index}.bn', here)


def _pair(conv: str, norm: str, here: str) -> Iterator[tuple[str, str]]:
    yield conv, f'{here}.conv'
    yield norm, f'{here}.bn'
