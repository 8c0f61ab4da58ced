"""Reading of a picture with the steps of a config's test pipeline, as the network sees it.

Shapes: H x W the picture as a viewer shows it.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import mmcv
import numpy as np
from mmengine.dataset import Compose
from PIL import Image

from mmrev.errors import ConfigError, DataError

from .names import shown
from .picture_files import ORIENTATION, UPRIGHT, as_picture, check_file, line_of, what_it_is
from .sources import Source


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
            raise DataError(f'{_sized(source, picture)}: the test pipeline fails on it ({line_of(error)})') from error
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


def _needs_labels(step: dict) -> bool:
    kind = str(step['type'])
    return 'Annotation' in kind or any(name in kind for name in ('CheckLabels', 'BoundaryLabels'))


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


def _sized(source: Source, picture: np.ndarray) -> str:
    return f'{shown(source.title)} ({picture.shape[1]} x {picture.shape[0]} pixels)'
