"""Predictions of a trained model of any host, from its config and its checkpoint."""

from collections.abc import Callable, Iterable
from pathlib import Path

from mmengine.config import Config

from .folder import Report, predict_into
from .predictor import Predictor


def predict(
    config: str | Path | Config,
    checkpoint: str | Path | None,
    images: str | Path | Iterable[str | Path],
    out: str | Path = 'predictions',
    *,
    batch_size: int = 1,
    device: str | None = None,
    every: int = 1,
    force: bool = False,
    progress: bool = True,
    tell: Callable[[str], None] | None = None,
    **options: bool | float,
) -> Report:
    """Predicts pictures and videos with a trained model of any host, and writes the predictions into a folder.

    A segmentation model writes masks, a detector boxes, and a classifier labels. If the folder has predictions of the
    same model, the pictures that are done stay.

    Args:
        config: A config, its file, or the name of a config of mmrev; a published model if ``checkpoint`` is None.
        checkpoint: A .pth file, or a file of safetensors. One that holds code is refused.
        images: Pictures, videos, folders and patterns such as ``'photos/**/*.jpg'``.
        out: The folder.
        batch_size: The number of pictures that the model gets at once, if they have one size.
        device: Such as ``'cpu'`` or ``'cuda:1'``; None takes a GPU if there is one.
        every: 1 for all frames of a video, 2 for every second one.
        force: Whether to predict all pictures anew, and to overwrite files.
        progress: Whether to show a progress bar on a terminal.
        tell: A function that gets each problem at once.
        options: The arguments of :class:`~mmrev.prediction.tasks.Options`: ``overlays``, ``opacity``,
            ``probabilities`` and ``score_thr``.

    Returns:
        The report. Its ``problems`` name the pictures that could not be predicted.

    Raises:
        DataError: There is no picture, the only one is unreadable, the folder cannot be written, the disk is full, or
            a file would be overwritten.
        ConfigError: The config or the device cannot be used.
        CheckpointError: The checkpoint is unreadable, or of another model.

    Example:
        >>> predict('ran_n_r18_camvid', 'iter_4000.pth', 'no_such_folder')
        Traceback (most recent call last):
        mmrev.errors.DataError: no_such_folder is missing: expected a picture, a video, a folder ...
    """
    return predict_into(
        out,
        images,
        lambda: Predictor(config, checkpoint, device),
        str(checkpoint or config),
        batch_size=batch_size,
        every=every,
        force=force,
        progress=progress,
        tell=tell,
        **options,
    )
