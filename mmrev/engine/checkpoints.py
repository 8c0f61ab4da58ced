"""Reading checkpoints without running code from them, and seeing how well one fits a model."""

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import mmengine.runner.checkpoint as loading
import torch
from mmengine.logging import HistoryBuffer
from torch import Tensor, nn

from mmrev.errors import CheckpointError

StateDict = Mapping[str, Tensor]


def forbid_code() -> None:
    """Makes every ``torch.load`` of this process, and mmengine's, refuse pickled code.

    mmengine falls back to running the code when the safe way of loading fails, and its safe way allows ``getattr``,
    through which a file reaches ``exec``.
    """
    os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] = '1'
    os.environ.pop('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', None)
    loading._safe_torch_load = _load


def read_checkpoint(path: str | Path) -> dict:
    """Loads a file, a URL or mmengine's ``torchvision://`` and ``open-mmlab://`` names, onto the CPU, safely.

    Raises:
        CheckpointError: It is missing, truncated, not a checkpoint, or holds code.
    """
    forbid_code()
    try:
        checkpoint = loading.CheckpointLoader.load_checkpoint(str(path), map_location='cpu', logger='silent')
    except FileNotFoundError as error:
        raise CheckpointError(f'{path} is missing: expected a checkpoint file (.pth)') from error
    except Exception as error:  # a broken file ends in any of a dozen types
        raise CheckpointError(_what_is_wrong(path, error)) from error
    if not isinstance(checkpoint, Mapping):
        raise CheckpointError(f'{path} holds a {type(checkpoint).__name__}: expected a state dict or a checkpoint')
    return checkpoint


def state_dict_of(checkpoint: Mapping, keys: tuple[str, ...] = ('state_dict', 'model')) -> OrderedDict[str, Tensor]:
    """The weights in a checkpoint of mmengine, of another trainer (``model``), or a bare state dict; no ``module.``."""
    found = next((checkpoint[key] for key in keys if isinstance(checkpoint.get(key), Mapping)), checkpoint)
    state = OrderedDict(
        (name.removeprefix('module.'), value) for name, value in found.items() if isinstance(value, Tensor)
    )
    # torch keeps the versions of modules there, which some need to read their older weights
    state._metadata = getattr(found, '_metadata', OrderedDict())
    return state


@dataclass(frozen=True)
class Match:
    """How a file's weights fit a model's; batch-norm counters are not counted."""

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    left_over: tuple[str, ...]
    reshaped: tuple[str, ...]

    @property
    def total(self) -> int:
        return len(self.matched) + len(self.missing) + len(self.reshaped)

    @property
    def offered(self) -> int:
        return len(self.matched) + len(self.left_over) + len(self.reshaped)

    def __str__(self) -> str:
        return (
            f'{len(self.matched)} of {self.total} keys matched, {len(self.missing)} missing, '
            f'{len(self.reshaped)} of another shape, {len(self.left_over)} left over'
        )


def load_matching(model: nn.Module, state: StateDict) -> Match:
    """Loads what fits, and says what did.

    Loading comes first because a model's own load hooks rename what an earlier version of it saved.
    """
    metadata, state = getattr(state, '_metadata', {}), OrderedDict(state)
    for name, module in model.named_modules():
        module._load_from_state_dict(state, f'{name}.' if name else '', metadata.get(name, {}), False, [], [], [])
    wanted, offered = _shapes(model.state_dict()), _shapes(state)
    both = wanted.keys() & offered.keys()
    return Match(
        matched=tuple(sorted(name for name in both if wanted[name] == offered[name])),
        missing=tuple(sorted(wanted.keys() - offered.keys())),
        left_over=tuple(sorted(offered.keys() - wanted.keys())),
        reshaped=tuple(
            f'{name} {tuple(offered[name])} -> {tuple(wanted[name])}'
            for name in sorted(both)
            if wanted[name] != offered[name]
        ),
    )


def _shapes(state: StateDict) -> dict:
    return {
        name: value.shape
        for name, value in state.items()
        if isinstance(value, Tensor) and not name.endswith('num_batches_tracked')
    }


def _load(file: Any, map_location: Any = None, weights_only: bool | None = None) -> Any:
    # all that mmengine's own checkpoints want of getattr are the methods of their log buffers
    allowed = [known for known in loading.get_torch_safe_globals() if known is not getattr]
    with torch.serialization.safe_globals([*allowed, (_history_method, 'builtins.getattr')]):
        return torch.load(file, map_location=map_location, weights_only=True)


def _history_method(owner: type, name: str) -> Callable:
    if owner is HistoryBuffer and name in ('min', 'max', 'mean', 'current'):
        return getattr(owner, name)
    raise UnpicklingError(f'disallowed attribute {name}')


def _what_is_wrong(path: str | Path, error: Exception) -> str:
    if isinstance(error, UnpicklingError) and any(
        word in str(error)
        for word in ('nsupported global', 'nsupported GLOBAL', 'allowlisted', 'unrecognized function', 'disallowed')
    ):
        return (
            f'{path} holds pickled code besides tensors, and was refused: loading it could run anything. '
            'Ask its author for a file of tensors only (torch.save(model.state_dict(), ...))'
        )
    if '://' in str(path):
        return f'{path} cannot be fetched ({_reason(error)}): download it elsewhere and give the local file'
    reason = _reason(error) if isinstance(error, (RuntimeError, OSError, EOFError)) else 'no PyTorch file'
    return f'{path} is truncated or not a checkpoint ({reason}): fetch or copy it again'


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].split('. ')[0]
