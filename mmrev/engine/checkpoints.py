"""Reading checkpoints without running code from them, and seeing how well one fits a model."""
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from zipfile import BadZipFile

from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor

from mmrev.errors import CheckpointError

StateDict = Mapping[str, Tensor]


def forbid_code() -> None:
    """Makes every ``torch.load`` of this process refuse pickled code.

    Without it mmengine falls back to running the code when the safe way of loading fails.
    """
    os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] = '1'
    os.environ.pop('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', None)


def read_checkpoint(path: str | Path) -> dict:
    """Loads a file, a URL or mmengine's ``torchvision://`` and ``open-mmlab://`` names, onto the CPU, safely.

    Raises:
        CheckpointError: It is missing, truncated, not a checkpoint, or holds code.
    """
    forbid_code()
    try:
        checkpoint = CheckpointLoader.load_checkpoint(str(path), map_location='cpu', logger='silent')
    except FileNotFoundError as error:
        raise CheckpointError(f'{path} is missing: expected a checkpoint file (.pth)') from error
    except (UnpicklingError, RuntimeError, EOFError, BadZipFile, OSError, ValueError) as error:
        raise CheckpointError(_what_is_wrong(path, error)) from error
    if not isinstance(checkpoint, Mapping):
        raise CheckpointError(f'{path} holds a {type(checkpoint).__name__}: expected a state dict or a checkpoint of one')
    return checkpoint


def state_dict_of(checkpoint: Mapping) -> dict[str, Tensor]:
    """The weights in a checkpoint of mmengine, of another trainer (``model``), or a bare state dict; no ``module.``."""
    for key in ('state_dict', 'model'):
        if isinstance(checkpoint.get(key), Mapping):
            checkpoint = checkpoint[key]
            break
    return {name.removeprefix('module.'): value for name, value in checkpoint.items() if isinstance(value, Tensor)}


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

    def __str__(self) -> str:
        return (f'{len(self.matched)} of {self.total} keys matched, {len(self.missing)} missing, {len(self.reshaped)} of '
                f'another shape, {len(self.left_over)} left over')


def match_keys(model: StateDict, file: StateDict) -> Match:
    """Compares names and shapes of a model's state dict with those of a file's."""
    wanted = {name: value.shape for name, value in model.items() if not name.endswith('num_batches_tracked')}
    offered = {name: value.shape for name, value in file.items() if not name.endswith('num_batches_tracked')}
    both = wanted.keys() & offered.keys()
    return Match(matched=tuple(sorted(name for name in both if wanted[name] == offered[name])),
                 missing=tuple(sorted(wanted.keys() - offered.keys())),
                 left_over=tuple(sorted(offered.keys() - wanted.keys())),
                 reshaped=tuple(f'{name} {tuple(offered[name])} -> {tuple(wanted[name])}'
                                for name in sorted(both) if wanted[name] != offered[name]))


def _what_is_wrong(path: str | Path, error: Exception) -> str:
    text = str(error)
    if 'nsupported' in text or 'not an allowed' in text or 'unrecognized function' in text or 'disallowed' in text:
        return (f'{path} holds pickled code besides tensors, and was refused: loading it could run anything. '
                'Ask its author for a file of tensors only (torch.save(model.state_dict(), ...))')
    if '://' in str(path):
        return f'{path} cannot be fetched ({_first_line(error)}): download it elsewhere and give the local file'
    return f'{path} is truncated or not a checkpoint ({_first_line(error)}): fetch or copy it again'


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
