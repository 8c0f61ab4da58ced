"""Files of pictures, with Pillow and NumPy alone: what can be wrong with them, and how they are turned.

Shapes: H x W the picture as a viewer shows it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from mmrev.errors import DataError

from .names import shown

ORIENTATION = 0x0112  # the tag of EXIF
SIGNATURES = {b'%PDF': 'a PDF', b'PK\x03\x04': 'a zip archive', b'<': 'text of the web (SVG, HTML or XML)'}
UPRIGHT: Mapping[int, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda image: np.rot90(image, 2),
    4: np.flipud,
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, 3),
    7: lambda image: np.rot90(image, 2).swapaxes(0, 1),
    8: np.rot90,
}


def check_file(path: Path) -> tuple[int, str | None]:
    """Reads the whole file with Pillow, because OpenCV fills up the rest of a truncated picture without a word.

    Returns:
        The orientation of EXIF, 1 to 8, and the format; 1 and None if Pillow does not know the format.

    Raises:
        DataError: The file is missing, empty, truncated or damaged.
    """
    name = shown(path)
    try:
        if not path.stat().st_size:
            raise DataError(f'{name} is empty (0 bytes): copy or export it again')
        with Image.open(path) as image:
            orientation, form = _orientation(image), image.format
            image.draft('RGB', (max(image.width // 8, 1), max(image.height // 8, 1)))  # all bytes, few pixels
            image.load()
            return orientation, form
    except (UnidentifiedImageError, Image.DecompressionBombError):
        return 1, None
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f'{name} is missing') from error
    except PermissionError as error:
        raise DataError(f'{name} cannot be read: permission denied') from error
    except Exception as error:  # the decoders of Pillow raise any type
        raise DataError(f'{name} is truncated or damaged ({line_of(error)}): copy or export it again') from error


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # a damaged EXIF block does not make the picture unreadable
        return 1


def as_picture(image: np.ndarray) -> np.ndarray:
    """Turns an image as OpenCV reads it, of any depth and number of channels, into RGB [H, W, 3] uint8.

    Example:
        >>> as_picture(np.array([[0, 65535]], np.uint16)).tolist()
        [[[0, 0, 0], [255, 255, 255]]]
        >>> as_picture(np.array([[[1, 2, 3, 0]]], np.uint8)).tolist()
        [[[3, 2, 1]]]
    """
    if image.dtype == np.uint16:
        image = image // 257
    image = image[..., None] if image.ndim == 2 else image
    image = image[..., 2::-1] if image.shape[-1] > 2 else image[..., :1].repeat(3, -1)
    return np.ascontiguousarray(np.clip(image, 0, 255).astype(np.uint8))


def what_it_is(path: Path) -> str:
    """Says in a few words what a file is that is no picture, by its first bytes."""
    with open(path, 'rb') as file:
        start = file.read(16).lstrip()
    if start[4:8] == b'ftyp':
        return 'a HEIC picture or a video'
    return next((kind for mark, kind in SIGNATURES.items() if start.startswith(mark)), 'an unknown or rare format')


def line_of(error: Exception) -> str:
    text = ' '.join(str(error).split())
    return f'{type(error).__name__}: {text}' if text else type(error).__name__
