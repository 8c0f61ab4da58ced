"""Finding a published model: a folder of ``mmrev publish``, or the copy of one that huggingface_hub downloaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmrev.errors import CheckpointError, ConfigError

from .plain_config import read_plain
from .safetensors_files import SUFFIX

HUB_CACHE = 'models--'  # the folder of a model in huggingface_hub's cache: models--<owner>--<name>


def find_published(path: str | Path) -> Path | None:
    """Finds the weights of a published model.

    Args:
        path: A folder of ``mmrev publish``, a folder that ``huggingface_hub.snapshot_download`` returned or filled, a
            folder ``models--<owner>--<name>`` of its cache, or a file of safetensors.

    Returns:
        The file of safetensors. None if ``path`` is no such file, and no folder with one.

    Raises:
        CheckpointError: The folder holds several such files, or several revisions.

    Example:
        >>> find_published('ran/ran_n_r18_camvid') is None
        True
    """
    path = Path(path)
    if path.is_file():
        return path if path.suffix == SUFFIX else None
    if not path.is_dir():
        return None
    folder = _snapshot(path) if path.name.startswith(HUB_CACHE) else path
    return _only(sorted(folder.glob(f'[!.]*{SUFFIX}')), folder) if folder else None


def published_config(checkpoint: dict[str, Any], name: str, options: dict[str, Any] | None = None) -> Config:
    """Reads the config in the header of a published model, without running it.

    Args:
        checkpoint: The content of the file.
        name: The file, for messages.
        options: Values that replace those in the config.

    Raises:
        ConfigError: There is no config, or it holds more than plain values, or needs modules of its own.
    """
    text = checkpoint.get('meta', {}).get('config')
    if not isinstance(text, str):
        raise ConfigError(f'{name} holds no config: give the config before it')
    cfg = read_plain(text, f'the config in {name}')
    if cfg.get('custom_imports'):
        raise ConfigError(
            f'the config in {name} imports its own modules ({cfg.custom_imports.get("imports")}), so it was not used: '
            'look at the config.py beside it, and give that as the config'
        )
    cfg.merge_from_dict(options or {})
    return cfg


def _snapshot(cache: Path) -> Path | None:
    """Returns the folder of the revision ``main`` in a folder of huggingface_hub's cache, or of its only revision."""
    main, snapshots = cache / 'refs/main', cache / 'snapshots'
    if main.is_file() and (named := snapshots / main.read_text().strip()).is_dir():
        return named
    return _only(sorted(path for path in snapshots.glob('*') if path.is_dir()), snapshots)


def _only(found: Sequence[Path], folder: Path) -> Path | None:
    if len(found) > 1:
        raise CheckpointError(f'{folder} has several ({", ".join(path.name for path in found)}): give one of them')
    return found[0] if found else None
