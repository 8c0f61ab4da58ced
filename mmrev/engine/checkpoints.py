"""Reading of checkpoints, and how well the weights in one fit a model."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from mmrev.errors import CheckpointError

from .safe_loading import load_from_anywhere

StateDict = Mapping[str, Tensor]


def read_checkpoint(path: str | Path) -> dict:
    """Loads a file, a URL or mmengine's ``torchvision://`` and ``open-mmlab://`` names onto the CPU, safely.

    Raises:
        CheckpointError: The file is missing, truncated, no checkpoint, or holds code.

    Example:
        >>> read_checkpoint('no_such_file.pth')
        Traceback (most recent call last):
        mmrev.errors.CheckpointError: no_such_file.pth is missing: expected a checkpoint file (.pth)
    """
    try:
        checkpoint = load_from_anywhere(str(path), map_location='cpu')
    except CheckpointError:
        raise
    except FileNotFoundError as error:
        raise CheckpointError(f'{path} is missing: expected a checkpoint file (.pth)') from error
    except Exception as error:  # a broken file causes any of a dozen types
        raise CheckpointError(_what_is_wrong(path, error)) from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(f'{path} holds a {type(checkpoint).__name__}: expected a state dict or a checkpoint')
    return checkpoint


def state_dict_of(checkpoint: Mapping, keys: tuple[str, ...] = ('state_dict', 'model')) -> OrderedDict[str, Tensor]:
    """Finds the weights in a checkpoint, and removes the prefix ``module.`` of a parallel model.

    Args:
        checkpoint: A checkpoint of mmengine (``state_dict``), of another trainer (``model``), or a bare state dict.
        keys: The keys below which to look.

    Example:
        >>> import torch
        >>> list(state_dict_of({'model': {'module.conv.weight': torch.ones(1)}, 'epoch': 3}))
        ['conv.weight']
    """
    found = next((checkpoint[key] for key in keys if isinstance(checkpoint.get(key), Mapping)), checkpoint)
    state = OrderedDict(
        (name.removeprefix('module.'), value) for name, value in found.items() if isinstance(value, Tensor)
    )
    # torch keeps the modules' versions there; some modules need them to read their older weights
    state._metadata = getattr(found, '_metadata', OrderedDict())  # type: ignore[attr-defined]  # torch's own habit
    return state


@dataclass(frozen=True)
class Match:
    """How the weights of a file fit those of a model. Counters of batch norm are left out."""

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    left_over: tuple[str, ...]
    reshaped: tuple[str, ...]

    @property
    def total(self) -> int:
        """The number of keys in the model."""
        return len(self.matched) + len(self.missing) + len(self.reshaped)

    @property
    def offered(self) -> int:
        """The number of keys in the file."""
        return len(self.matched) + len(self.left_over) + len(self.reshaped)

    def __str__(self) -> str:
        return (
            f'{len(self.matched)} of {self.total} keys matched, {len(self.missing)} missing, '
            f'{len(self.reshaped)} of another shape, {len(self.left_over)} left over'
        )


def load_matching(model: nn.Module, state: StateDict) -> Match:
    """Loads the weights that fit into the model, and returns which ones did.

    The weights are loaded first and compared later, because a model's own hooks may rename older weights on loading.

    Example:
        >>> import torch
        >>> print(load_matching(nn.Linear(2, 3), {'weight': torch.ones(3, 2), 'scale': torch.ones(1)}))
        1 of 2 keys matched, 1 missing, 0 of another shape, 1 left over
    """
    metadata, state = getattr(state, '_metadata', {}), OrderedDict(state)
    for name, module in model.named_modules():
        module._load_from_state_dict(state, f'{name}.' if name else '', metadata.get(name, {}), False, [], [], [])
    wanted, offered = _shapes(model.state_dict()), _shapes(state)
    both = sorted(wanted.keys() & offered.keys())
    changed = [name for name in both if wanted[name] != offered[name]]
    return Match(
        matched=tuple(name for name in both if name not in changed),
        missing=tuple(sorted(wanted.keys() - offered.keys())),
        left_over=tuple(sorted(offered.keys() - wanted.keys())),
        reshaped=tuple(f'{name} {tuple(offered[name])} -> {tuple(wanted[name])}' for name in changed),
    )


def _shapes(state: StateDict) -> dict:
    return {
        name: value.shape
        for name, value in state.items()
        if isinstance(value, Tensor) and not name.endswith('num_batches_tracked')
    }


def _what_is_wrong(path: str | Path, error: Exception) -> str:
    if '://' in str(path):
        return f'{path} cannot be fetched ({_reason(error)}): download it elsewhere and give the local file'
    reason = _reason(error) if isinstance(error, (RuntimeError, OSError, EOFError)) else 'no PyTorch file'
    return f'{path} is truncated or not a checkpoint ({reason}): fetch or copy it again'


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].split('. ')[0]
