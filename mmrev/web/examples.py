"""The pictures that a visitor can pick."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mmrev.errors import DataError
from mmrev.prediction.reading import Reader
from mmrev.prediction.sources import find_sources

from .uploads import Limits, check_upload

MOST = 24
SIDE = 200  # pixels of the longer side of a thumbnail


@dataclass(frozen=True)
class Example:
    """A picture, and a small copy of it, RGB, uint8."""

    path: Path
    thumbnail: np.ndarray


def find_examples(folder: Path, reader: Reader, limits: Limits, tell: Callable[[str], None] = print) -> list[Example]:
    """Reads the first pictures of a folder. One that cannot be read is named and left out.

    Args:
        folder: The folder, or one picture.
        reader: The reader of the model.
        limits: The largest picture.
        tell: A function that gets a line for each picture that is left out.

    Raises:
        DataError: The folder is missing, or no picture in it can be read.
    """
    sources, _ = find_sources([folder])
    sources = [source for source in sources if not source.is_video]
    examples = []
    for source in sources[:MOST]:
        path = source.path.resolve()
        try:
            picture = reader.read(check_upload(path, limits)).picture
        except DataError as problem:
            tell(f'left out: {problem}')
            continue
        examples.append(Example(path, _thumbnail(picture)))
    if not examples:
        raise DataError(f'{folder} has no picture that can be shown')
    if len(sources) > MOST:
        tell(f'the page offers the first {MOST} of the {len(sources)} pictures in {folder}')
    return examples


def _thumbnail(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape[:2]
    factor = SIDE / max(height, width)
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST)
