"""The common part of all kinds of models in a folder of predictions."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..classes import Classes
from ..files import write_file
from ..results import Prediction


@dataclass(frozen=True)
class Options:
    """The choice of files to write.

    Args:
        overlays: Whether to draw the prediction over each picture.
        opacity: The opacity of masks in these pictures.
        probabilities: Whether to write the probability of every class.
        score_thr: The lowest score of a box in these pictures.
    """

    overlays: bool = True
    opacity: float = 0.5
    probabilities: bool = False
    score_thr: float = 0.3


class Task(ABC):
    """The files of one kind of model.

    Args:
        classes: The names and colours of the classes.
        options: The choice of files to write.
        out: The folder.
    """

    def __init__(self, classes: Classes, options: Options, out: Path) -> None:
        self.classes = classes
        self.options = options
        self.out = out

    @property
    @abstractmethod
    def table(self) -> Path:
        """The table of all pictures."""

    @abstractmethod
    def files(self, name: str) -> list[Path]:
        """Returns the files of a picture."""

    @abstractmethod
    def write(self, name: str, prediction: Prediction) -> dict:
        """Writes the files of a picture, and returns its part of the table in JSON's types."""

    @abstractmethod
    def write_table(self, rows: Collection[dict]) -> list[Path]:
        """Writes the table of all pictures, and returns the files."""

    def overlay(self, name: str) -> Path:
        """Returns the file of the picture with the prediction over it."""
        return self.out / 'overlays' / f'{name}.jpg'

    def write_overlay(self, name: str, picture: np.ndarray) -> None:
        """Writes a picture, RGB, [H, W, 3] uint8."""
        write_file(self.overlay(name), lambda file: Image.fromarray(picture).save(file, 'JPEG', quality=92))
