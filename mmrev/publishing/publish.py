"""Writes a trained model into a folder that others can load: weights without code, the config, and a model card."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from mmengine.config import Config
from torch import nn

from mmrev.config_files import read_config
from mmrev.datasets.checks import leaf_datasets
from mmrev.engine.checkpoints import read_checkpoint
from mmrev.engine.plain_config import plain_text
from mmrev.engine.safetensors_files import SUFFIX, to_safetensors
from mmrev.engine.trained_model import build_model
from mmrev.errors import ConfigError
from mmrev.prediction.files import write_file, write_folder
from mmrev.prediction.metainfo import find_classes

from .card import Card
from .shareable import config_in, versions, weights_of, without_paths

OUR_FILES = re.compile(rf'README\.md|config\.py|[^/]+-[0-9a-f]{{8}}{re.escape(SUFFIX)}')


@dataclass(frozen=True)
class Published:
    """The result of :func:`publish`.

    Args:
        folder: The folder.
        file: The file of weights in it.
        sha256: The hash of the file.
        line: How the weights fit the config.
    """

    folder: Path
    file: Path
    sha256: str
    line: str


def publish(
    checkpoint: str | Path,
    config: str | Path | Config | None = None,
    out: str | Path = 'published',
    *,
    name: str | None = None,
    license: str = 'unknown',
    datasets: Sequence[str] | None = None,
    metrics: Mapping[str, float] | None = None,
    force: bool = False,
) -> Published:
    """Writes a trained model into a folder that ``mmrev predict``, mmengine and huggingface_hub read.

    The folder appears at the end, when it is whole.

    Args:
        checkpoint: The checkpoint. One that holds code is refused.
        config: Its config. None takes the one that mmengine saved in the checkpoint.
        out: The folder.
        name: The name of the model. None takes that of the checkpoint's folder and file.
        license: The license of the weights.
        datasets: The data sets that it was trained on. None takes the types of those in the config.
        metrics: Measured scores.
        force: Whether to replace a folder of an earlier call.

    Raises:
        CheckpointError: The checkpoint is unreadable, holds code or no weights, or is of another model.
        ConfigError: The config is missing or cannot be shared, or the folder exists.
        DataError: The folder cannot be written, or the disk is full.
        HostError: The package safetensors is missing.

    Example:
        >>> publish('no_such_file.pth')
        Traceback (most recent call last):
        mmrev.errors.CheckpointError: no_such_file.pth is missing: expected a checkpoint file (.pth)
    """
    out = Path(out)
    require_free(out, force)
    content = read_checkpoint(checkpoint)
    cfg = _config(config, content, str(checkpoint))
    state = weights_of(content, str(checkpoint))
    shared = without_paths(cfg)
    text = plain_text(shared)
    model, line = build_model(cfg.copy(), content, str(checkpoint), 'cpu')
    classes = find_classes(cfg, content, model)
    found = versions()
    meta = dict(
        dataset_meta=dict(classes=list(classes.names), palette=classes.palette),
        versions=found,
        config=text,
        **_progress(content),
    )
    weights = to_safetensors(state, meta)
    digest = hashlib.sha256(weights).hexdigest()
    name = _name(name, str(checkpoint))
    file = f'{name}-{digest[:8]}{SUFFIX}'
    card = Card(
        name=name,
        scope=cfg.default_scope,
        parts=_types(shared.model),
        classes=classes.names,
        parameters=_size(model),
        file=file,
        sha256=digest,
        versions=found,
        license=license,
        datasets=_datasets(cfg) if datasets is None else datasets,
        metrics=metrics or {},
    )
    with write_folder(out) as folder:
        for path, data in ((file, weights), ('config.py', text.encode()), ('README.md', str(card).encode())):
            write_file(folder / path, partial(_write, data))
    return Published(out, out / file, digest, line)


def require_free(folder: Path, force: bool) -> None:
    """Checks before the work that nothing of the user's is overwritten.

    Raises:
        ConfigError: The folder has files, and ``force`` is off or they are not of :func:`publish`.

    Example:
        >>> require_free(Path('no_such_folder'), force=False)
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ConfigError(f'--out {folder} is a file: name a folder')
    files = [path.name for path in folder.iterdir()]
    foreign = [file for file in files if not OUR_FILES.fullmatch(file)]
    if foreign:
        raise ConfigError(
            f'--out {folder} has files that are not of `mmrev publish`, such as {foreign[0]}: name another folder'
        )
    if files and not force:
        raise ConfigError(f'--out {folder} holds a published model: replace it with --force, or name another folder')


def _write(data: bytes, file: BinaryIO) -> None:
    file.write(data)


def _config(config: str | Path | Config | None, content: dict, name: str) -> Config:
    if config is None:
        return config_in(content, name)
    return config.copy() if isinstance(config, Config) else read_config(config, needs='test_dataloader')


def _name(name: str | None, checkpoint: str) -> str:
    """Returns a name that is a file name. By default it is <work dir>_<file>: ran_n_r18_camvid_iter_4000."""
    path = Path(checkpoint)
    parts = [path.absolute().parent.name, path.stem] if path.is_file() else [path.stem]
    return re.sub(r'[^A-Za-z0-9._-]+', '_', name or '_'.join(parts)).strip('._') or 'model'


def _types(model: Mapping[str, Any]) -> list[str]:
    """Lists the types of the model's parts, the model itself first."""
    parts = [model, *(part for part in model.values() if isinstance(part, Mapping))]
    return list(dict.fromkeys(str(part['type']) for part in parts if 'type' in part))


def _datasets(cfg: Config) -> list[str]:
    loader = cfg.get('train_dataloader') or cfg.test_dataloader
    kinds = [str(dataset['type']).rpartition('.')[-1] for dataset in leaf_datasets(loader['dataset'])]
    return list(dict.fromkeys(kind.removesuffix('Dataset') for kind in kinds))


def _progress(content: Mapping[str, Any]) -> dict[str, int]:
    meta = content.get('meta') or {}
    return {key: int(meta[key]) for key in ('epoch', 'iter') if isinstance(meta.get(key), int)}


def _size(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
