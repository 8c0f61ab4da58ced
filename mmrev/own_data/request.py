"""The request of the user, the findings about the data, and the result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .classes import ClassFile
from .recognise import Source


@dataclass(frozen=True)
class Request:
    """The request of the user: the arguments of ``mmrev new-config``.

    Args:
        images: The folder of images.
        masks: The annotations: a folder, or a JSON file of COCO.
        out: The config to write.
        classes: A file of names; None to find them in the annotations.
        task: ``'segmentation'`` or ``'detection'``; None lets the annotations decide.
        method: One of ``METHODS``; None for ``ran_n``, or ``ra`` in detection.
        backbone: One of ``BACKBONES``.
        size: The short side of the images in training, and the side of the crops.
        weights: Of the backbone: ``'imagenet'``, ``'none'`` or a file.
        data_out: The folder for converted annotations and lists; None for one beside the config.
        splits: A folder with the lists train.txt, val.txt and test.txt.
        val_share: The share of validation in a split that is made.
        group_by: A separator: images with the same name up to the last one stay in one split.
        seed: That of the split.
        ignore: Labels or colours that are ignored.
        iters: The iterations of the training.
        batch_size: The images of a step.
        force: Whether files of an earlier run are overwritten.
    """

    images: Path
    masks: Path
    out: Path
    classes: Path | None = None
    task: str | None = None
    method: str | None = None
    backbone: str = 'r50'
    size: int = 512
    weights: str = 'imagenet'
    data_out: Path | None = None
    splits: Path | None = None
    val_share: float = 0.2
    group_by: str = ''
    seed: int = 0
    ignore: Sequence[str] = ()
    iters: int = 4000
    batch_size: int | None = None
    force: bool = False

    @property
    def folder(self) -> Path:
        """The folder for converted annotations and lists."""
        return self.data_out or self.out.with_name(f'{self.out.stem}_data')


@dataclass(frozen=True)
class Made:
    """The result of a request.

    Args:
        config: The path of the config.
        lines: Its number of lines.
        notes: The findings and the steps, a line each.
        train: The command that trains.
        predict: The command that predicts.
    """

    config: Path
    lines: int
    notes: Sequence[str]
    train: str
    predict: str


@dataclass
class Data:
    """The user's data, as far as they were looked at.

    Args:
        request: The request of the user.
        images: The annotated images by name.
        sizes: Their widths and heights.
        source: The annotations.
        given: The classes of the user's file.
        notes: The findings.
    """

    request: Request
    images: Mapping[str, Path]
    sizes: Mapping[str, tuple[int, int]]
    source: Source
    given: ClassFile | None
    notes: list[str] = field(default_factory=list)
