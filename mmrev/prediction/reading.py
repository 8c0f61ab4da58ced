"""Reading of a picture with the steps of a config's test pipeline, and what can be wrong with its file.

Shapes: H x W the picture as a viewer shows it.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mmcv
import numpy as np
from mmengine.dataset import Compose
from PIL import Image, UnidentifiedImageError

from mmrev.errors import ConfigError, DataError

from .names import shown
from .sources import Source

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


@dataclass(frozen=True)
class Loaded:
    """A picture that is ready for the model.

    Args:
        source: Where it comes from.
        picture: RGB, [H, W, 3] uint8.
        item: The output of the test pipeline.
    """

    source: Source
    picture: np.ndarray
    item: dict


class Reader:
    """Reads pictures as a test pipeline does, without its annotations.

    Args:
        pipeline: The steps. The first one reads the file.

    Raises:
        ConfigError: No step reads a file.
    """

    def __init__(self, pipeline: Sequence[dict]) -> None:
        steps = [step for step in pipeline if not _needs_labels(step)]
        if not steps or 'Load' not in str(steps[0].get('type')):
            raise ConfigError(
                'the test pipeline does not begin with a step that reads an image: expected LoadImageFromFile'
            )
        self.load = Compose(steps[:1])
        self.prepare = Compose(steps[1:])

    def read(self, source: Source) -> Loaded:
        """Reads a picture and prepares it for the model.

        Raises:
            DataError: The file is missing, empty, truncated, no picture, or the pipeline cannot use it.
        """
        results = self._results(source)
        picture = as_picture(results['img'])
        try:
            item = self.prepare(results)
        except Exception as error:  # a transform may raise any type
            raise DataError(f'{_sized(source, picture)}: the test pipeline fails on it ({_line(error)})') from error
        if item is None:
            raise DataError(f'{_sized(source, picture)}: the test pipeline drops it')
        return Loaded(source, picture, item)

    def _results(self, source: Source) -> dict[str, Any]:
        path, ids = str(source.path), dict(img_id=0, sample_idx=0)
        if source.image is not None:
            shape = source.image.shape[:2]
            return dict(img=source.image, img_path=path, img_shape=shape, ori_shape=shape, **ids)
        orientation, form = check_file(source.path)
        try:
            results = self.load(dict(img_path=path, **ids))
        except Exception as error:  # OpenCV, Pillow and mmengine have types of their own
            raise DataError(
                f'{shown(path)} cannot be read ({what_it_is(source.path)}): export it as JPEG or PNG'
            ) from error
        step = self.load.transforms[0]
        flag, backend = getattr(step, 'color_type', None), getattr(step, 'imdecode_backend', None)
        if orientation in UPRIGHT and flag and not _turns(form, flag, backend):
            results['img'] = np.ascontiguousarray(UPRIGHT[orientation](results['img']))
            results['img_shape'] = results['ori_shape'] = results['img'].shape[:2]
        return results


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


def _needs_labels(step: dict) -> bool:
    kind = str(step['type'])
    return 'Annotation' in kind or any(name in kind for name in ('CheckLabels', 'BoundaryLabels'))


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
        raise DataError(f'{name} is truncated or damaged ({_line(error)}): copy or export it again') from error


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # a damaged EXIF block does not make the picture unreadable
        return 1


@cache
def _turns(form: str | None, flag: str, backend: str | None) -> bool:
    """Returns whether mmcv's decoder applies the orientation of EXIF to files of a format. It is tried out."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[ORIENTATION] = 6
    try:
        Image.new('RGB', (16, 8)).save(file, 'JPEG' if form == 'MPO' else form, exif=exif)
    except Exception:  # Pillow cannot write this format, so nothing is known
        return True
    return mmcv.imfrombytes(file.getvalue(), flag=flag, backend=backend).shape[:2] == (16, 8)


def what_it_is(path: Path) -> str:
    """Says in a few words what a file is that is no picture, by its first bytes."""
    with open(path, 'rb') as file:
        start = file.read(16).lstrip()
    if start[4:8] == b'ftyp':
        return 'a HEIC picture or a video'
    return next((kind for mark, kind in SIGNATURES.items() if start.startswith(mark)), 'an unknown or rare format')


def _sized(source: Source, picture: np.ndarray) -> str:
    return f'{shown(source.title)} ({picture.shape[1]} x {picture.shape[0]} pixels)'


def _line(error: Exception) -> str:
    text = ' '.join(str(error).split())
    return f'{type(error).__name__}: {text}' if text else type(error).__name__
