"""The pictures that a visitor of the page may give."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from mmrev.errors import DataError
from mmrev.prediction.names import shown
from mmrev.prediction.reading import what_it_is
from mmrev.prediction.sources import Source


@dataclass(frozen=True)
class Limits:
    """The largest picture that the page takes.

    Args:
        megabytes: Of its file.
        megapixels: Of its width times its height, in millions.
    """

    megabytes: float = 20
    megapixels: float = 25


def check_upload(path: Path, limits: Limits) -> Source:
    """Checks the size of a picture before any of its pixels is decoded: a small file can hold a huge picture.

    Returns:
        The picture, as a source of a :class:`~mmrev.prediction.Predictor`.

    Raises:
        DataError: The file is missing, empty, no picture, or too large.

    Example:
        >>> check_upload(Path('no_such_picture.jpg'), Limits())
        Traceback (most recent call last):
        mmrev.errors.DataError: no_such_picture.jpg is missing
    """
    name = shown(path.name)
    if not path.is_file():
        raise DataError(f'{name} is missing')
    size = path.stat().st_size
    if not size:
        raise DataError(f'{name} is empty (0 bytes): copy or export it again')
    if size > limits.megabytes * 1e6:
        raise DataError(f'{name} has {size / 1e6:.1f} MB: this page takes up to {limits.megabytes:g} MB')
    pixels = _pixels(path) / 1e6
    if pixels > limits.megapixels:
        raise DataError(
            f'{name} has {pixels:.1f} megapixels: this page takes up to {limits.megapixels:g}, scale it down'
        )
    return Source(path, path.stem)


def _pixels(path: Path) -> float:
    """Reads the size in the header."""
    try:
        with Image.open(path) as image:
            return image.width * image.height
    except UnidentifiedImageError as error:
        raise DataError(f'{shown(path.name)} cannot be read ({what_it_is(path)}): export it as JPEG or PNG') from error
    except Image.DecompressionBombError:  # Pillow has a limit of its own
        return float('inf')
    except Exception as error:  # the decoders of Pillow raise any type
        raise DataError(f'{shown(path.name)} is truncated or damaged: copy or export it again') from error
