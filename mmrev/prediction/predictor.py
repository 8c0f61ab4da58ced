"""A trained model of any host that predicts pictures.

Shapes: H x W the picture.
"""

import copy
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope

from mmrev.config_files import read_config
from mmrev.datasets.checks import leaf_datasets
from mmrev.engine.checkpoints import read_checkpoint
from mmrev.engine.published import find_published, published_config
from mmrev.engine.trained_model import build_model
from mmrev.errors import ConfigError, DataError
from mmrev.hosts import HOSTS

from .metainfo import find_classes
from .names import shown
from .reading import Loaded, Reader
from .results import Prediction
from .sources import Source


class Predictor:
    """A trained model of mmsegmentation, mmpretrain or mmdetection, for pictures that are in no data set.

    The pictures go through the test pipeline of the config. Its steps for annotations are left out.

    Args:
        config: A config, its file, or the name of a config of mmrev. Without a checkpoint, a published model: the
            folder of ``mmrev publish``, that of a download by huggingface_hub, or the file of safetensors in it.
        checkpoint: A .pth file, or a file of safetensors. One that holds code is refused.
        device: Such as ``'cpu'`` or ``'cuda:1'``; None takes a GPU if there is one.

    Raises:
        ConfigError: The config is missing, has no test pipeline, or is of no known host. No published model is there.
        CheckpointError: The checkpoint is unreadable, or of another model.
        HostError: The OpenMMLab package of the config is missing.

    Example:
        >>> Predictor('ran_n_r18_camvid', 'no_such_file.pth')
        Traceback (most recent call last):
        mmrev.errors.CheckpointError: no_such_file.pth is missing: expected a checkpoint file (.pth)
    """

    def __init__(
        self, config: str | Path | Config, checkpoint: str | Path | None = None, device: str | None = None
    ) -> None:
        if checkpoint is None:
            config, checkpoint = open_published(config)
        cfg = copy.deepcopy(config) if isinstance(config, Config) else read_config(config, needs='test_dataloader')
        host = HOSTS.get(cfg.get('default_scope'))
        if host is None or not cfg.get('test_dataloader'):
            raise ConfigError(
                f'a prediction needs a config with a test_dataloader and default_scope={" or ".join(map(repr, HOSTS))}'
            )
        check_device(device)
        content = read_checkpoint(checkpoint)
        self.task: str = host.task
        self.scope: str = cfg.default_scope
        self.model, self.weights = build_model(cfg, content, str(checkpoint), device)
        self.classes = find_classes(cfg, content, self.model)
        pipeline = test_pipeline(cfg)
        self.reader = Reader(pipeline)
        self.identity = dict(config=_digest(cfg.model, pipeline), checkpoint=_digest_file(str(checkpoint)))

    def __call__(self, images: Any, batch_size: int = 1) -> list[Prediction]:
        """Predicts pictures, and keeps all predictions in memory.

        Args:
            images: A file, an image [H, W, 3] uint8 in BGR as OpenCV reads it, or a list of these.
            batch_size: The number of pictures that the model gets at once, if they have one size.

        Raises:
            DataError: A picture cannot be read or predicted.
        """
        images = images if isinstance(images, (list, tuple)) else [images]
        found = []
        for _, result in self.stream(map(as_source, images), batch_size):
            if isinstance(result, DataError):
                raise result
            found.append(result)
        return found

    def stream(self, sources: Iterable[Source], batch_size: int = 1) -> Iterator[tuple[Source, Prediction | DataError]]:
        """Yields the prediction for each source, or the reason why there is none."""
        batch: list[Loaded] = []
        for source in sources:
            try:
                loaded = self.reader.read(source)
            except DataError as problem:
                yield source, problem
                continue
            # padding to one size would change the predictions
            if batch and (len(batch) == batch_size or _shape(batch[0]) != _shape(loaded)):
                yield from self.predict_loaded(batch)
                batch = []
            batch.append(loaded)
        yield from self.predict_loaded(batch)

    def predict_loaded(self, batch: Sequence[Loaded]) -> Iterator[tuple[Source, Prediction | DataError]]:
        """Yields the prediction for each picture that the reader has read, or the reason why there is none."""
        if not batch:
            return
        try:
            with torch.no_grad(), DefaultScope.overwrite_default_scope(self.scope):
                items = pseudo_collate([loaded.item for loaded in batch])
                samples = self.model.test_step(items)  # type: ignore[operator]  # torch types attributes loosely
        except Exception as error:  # a picture may be too small for a network, or too large for the memory
            if len(batch) == 1:
                yield batch[0].source, _failure(batch[0], error)
                return
            for loaded in batch:
                yield from self.predict_loaded([loaded])
            return
        for loaded, sample in zip(batch, samples, strict=True):
            yield loaded.source, Prediction(loaded.source, loaded.picture, sample)


def open_published(path: Any, options: dict[str, Any] | None = None) -> tuple[Config, Path]:
    """Returns the config of a published model and its file of weights.

    Args:
        path: As in :func:`~mmrev.engine.published.find_published`.
        options: Values that replace those in the config.

    Raises:
        CheckpointError: The folder has several models, or the file is broken.
        ConfigError: There is no published model, or its config cannot be used.

    Example:
        >>> open_published('no_such_folder')
        Traceback (most recent call last):
        mmrev.errors.ConfigError: no_such_folder is no published model: ...
    """
    file = None if isinstance(path, Config) else find_published(path)
    if file is None:
        shown_path = 'the config' if isinstance(path, Config) else path
        raise ConfigError(
            f'{shown_path} is no published model: give a config and a checkpoint, a folder of `mmrev publish`, or the '
            '.safetensors file in it'
        )
    return published_config(read_checkpoint(file), str(file), options), file


def test_pipeline(cfg: Config) -> list[dict]:
    """Returns the pipeline of the first test data set.

    Raises:
        ConfigError: There is none.
    """
    pipeline = next(leaf_datasets(cfg.test_dataloader.dataset)).get('pipeline')
    if not pipeline:
        raise ConfigError('test_dataloader.dataset has no pipeline: expected LoadImageFromFile and more steps')
    return list(pipeline)


def check_device(device: str | None) -> None:
    """Checks that torch can use a device.

    Raises:
        ConfigError: It cannot.

    Example:
        >>> check_device('cpu')
        >>> check_device('gpu')
        Traceback (most recent call last):
        mmrev.errors.ConfigError: device 'gpu' cannot be used here ...
    """
    try:
        torch.zeros(1, device=device)
    except Exception as error:  # torch raises several types
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(f'device {device!r} cannot be used here ({reason}): use cpu, or leave it out') from error


def as_source(image: str | Path | np.ndarray) -> Source:
    """Makes a source of a file or an array."""
    if isinstance(image, np.ndarray):
        return Source(Path('array'), 'array', frame=0, image=image)
    return Source(Path(image), Path(image).stem)


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:16]


def _digest_file(path: str) -> str:
    if not os.path.isfile(path):  # a URL or one of mmengine's names
        return path
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 24):
            digest.update(block)
    return digest.hexdigest()[:16]


def _shape(loaded: Loaded) -> Any:
    return loaded.item['inputs'].shape


def _failure(loaded: Loaded, error: Exception) -> DataError:
    height, width = loaded.picture.shape[:2]
    reason = ' '.join(str(error).split())[:200] or 'no message'
    return DataError(
        f'{shown(loaded.source.title)} ({width} x {height} pixels): the model fails on it '
        f'({type(error).__name__}: {reason})'
    )
