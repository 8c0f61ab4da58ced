"""The folder of converted masks, JSON files and lists: whole, or not there at all."""

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmrev.errors import ConfigError
from mmrev.prediction.files import write_file
from mmrev.prediction.names import shown

from .formats.mask_files import PALETTE_COLORS

MARK = 'made_by_new_config.json'  # only a folder with this file is ever replaced


def require_free(config: Path, folder: Path, inputs: Iterable[Path], force: bool) -> None:
    """Checks before the work that nothing of the user's would be overwritten.

    Raises:
        ConfigError: The config or the folder exists and ``force`` is off, or the folder is the user's.
    """
    if config.suffix != '.py':
        raise ConfigError(f'--out {shown(config)}: expected a file name that ends with .py')
    if config.is_dir():
        raise ConfigError(f'--out {shown(config)} is a folder: name a file in it')
    for path in inputs:
        if path.is_dir() and (_same(folder, path) or _inside(path, folder) or _inside(folder, path)):
            raise ConfigError(
                f'{shown(folder)} and your data in {shown(path)} overlap: name another folder with --data-out'
            )
    if folder.exists() and not (folder / MARK).is_file():
        raise ConfigError(
            f'{shown(folder)} exists and is not of `mmrev new-config`: name another folder with --data-out'
        )
    for path in (config, folder):
        if path.exists() and not force:
            raise ConfigError(f'{shown(path)} exists: overwrite it with --force, or name another file with --out')


def write_mask(path: Path, mask: np.ndarray, palette: Iterable[Iterable[int]]) -> None:
    """Writes a mask of labels as a PNG that viewers show in the colours of the classes.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_mask(Path(folder, 'a.png'), np.array([[0, 1, 255]], np.uint8), [[0, 0, 0], [9, 9, 9]])
        ...     np.array(Image.open(Path(folder, 'a.png'))).tolist()
        [[0, 1, 255]]
    """
    image = Image.fromarray(mask)
    # all 256 colours: with fewer, Pillow stores fewer bits a pixel and cuts label 255 off
    colors = [part for color in palette for part in color]
    image.putpalette(colors + [0] * (3 * PALETTE_COLORS - len(colors)))
    content = io.BytesIO()
    image.save(content, 'PNG')
    write_file(path, lambda file: file.write(content.getbuffer()))


def write_text(path: Path, text: str) -> None:
    """Writes a text file in UTF-8."""
    write_file(path, lambda file: file.write(text.encode()))


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file."""
    write_text(path, json.dumps(content, ensure_ascii=False))


def _same(first: Path, second: Path) -> bool:
    return first.resolve() == second.resolve()


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
