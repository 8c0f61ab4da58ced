"""Images for an exported network, with NumPy and Pillow alone: reading, the steps of the test pipeline, normalisation.

Shapes: H x W the picture.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmrev.errors import DataError

from .names import shown
from .picture_files import UPRIGHT, check_file, line_of, what_it_is

PILLOW = {
    'nearest': Image.Resampling.NEAREST,
    'bilinear': Image.Resampling.BILINEAR,
    'bicubic': Image.Resampling.BICUBIC,
    'box': Image.Resampling.BOX,
    'lanczos': Image.Resampling.LANCZOS,
}


def read_picture(path: Path) -> np.ndarray:
    """Reads a picture as a viewer shows it, RGB, [H, W, 3] uint8.

    Raises:
        DataError: The file is missing, empty, truncated or no picture.
    """
    orientation, form = check_file(path)
    if form is None:
        raise DataError(f'{shown(path)} cannot be read ({what_it_is(path)}): export it as JPEG or PNG')
    try:
        with Image.open(path) as image:
            if image.mode.startswith('I;16') or image.mode == 'I':
                deep = np.asarray(image) // 257
                pixels = np.clip(deep, 0, 255).astype(np.uint8)[..., None].repeat(3, -1)
            else:
                pixels = np.asarray(image.convert('RGB'))
    except Exception as error:  # the decoders of Pillow raise any type
        raise DataError(f'{shown(path)} is truncated or damaged ({line_of(error)}): copy or export it again') from error
    return np.ascontiguousarray(UPRIGHT.get(orientation, lambda image: image)(pixels))


def prepare(picture: np.ndarray, description: Mapping[str, Any]) -> np.ndarray:
    """Turns a picture into the input of an exported network, [1, 3, H, W].

    Args:
        picture: RGB, [H, W, 3] uint8.
        description: The description in the file.

    Raises:
        DataError: The test pipeline of the model has a step that is not known here.
    """
    for step in description['steps']:
        picture = apply(step, picture)
    wanted = description['input']
    if not wanted['uint8']:
        picture = picture if wanted['channels'] == 'RGB' else picture[..., ::-1]
        mean, std = (np.asarray(wanted[key], np.float32) for key in ('mean', 'std'))
        picture = (picture.astype(np.float32) - mean) / std
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None])


def apply(step: Mapping[str, Any], picture: np.ndarray) -> np.ndarray:
    """Applies a step of a test pipeline to a picture [H, W, 3] uint8."""
    if step['type'] not in STEPS:
        raise DataError(
            f'the test pipeline of this model has {step["type"]}, which is not known without OpenMMLab: prepare the '
            'images yourself, or use `mmrev predict CONFIG CHECKPOINT IMAGES`'
        )
    return STEPS[step['type']](picture, step)


def _resize(picture: np.ndarray, step: Mapping[str, Any]) -> np.ndarray:
    height, width = picture.shape[:2]
    scale, factor = step['scale'], step['scale_factor']
    if scale is None:
        factors = factor if isinstance(factor, list) else [factor, factor]
        return resized(picture, (int(height * factors[1] + 0.5), int(width * factors[0] + 0.5)), step)
    if isinstance(scale, int):
        scale = [scale, scale]
    if not step['keep_ratio']:
        return resized(picture, (scale[1], scale[0]), step)
    ratio = min(max(scale) / max(height, width), min(scale) / min(height, width))
    return resized(picture, (int(height * ratio + 0.5), int(width * ratio + 0.5)), step)


def _resize_edge(picture: np.ndarray, step: Mapping[str, Any]) -> np.ndarray:
    height, width = picture.shape[:2]
    of_width = dict(width=True, height=False, short=width < height, long=width > height)[step['edge']]
    if of_width:
        return resized(picture, (int(step['scale'] * height / width), step['scale']), step)
    return resized(picture, (step['scale'], int(step['scale'] * width / height)), step)


def _center_crop(picture: np.ndarray, step: Mapping[str, Any]) -> np.ndarray:
    size = step['crop_size']
    crop_height, crop_width = (size, size) if isinstance(size, int) else size
    top = max(0, int(round((picture.shape[0] - crop_height) / 2.0)))
    left = max(0, int(round((picture.shape[1] - crop_width) / 2.0)))
    return picture[top : top + crop_height, left : left + crop_width]


STEPS: dict[str, Callable[[np.ndarray, Mapping[str, Any]], np.ndarray]] = {
    'Resize': _resize,
    'ResizeEdge': _resize_edge,
    'CenterCrop': _center_crop,
}


def resized(picture: np.ndarray, size: tuple[int, int], step: Mapping[str, Any]) -> np.ndarray:
    """Resizes a picture [H, W, 3] uint8 as mmcv does with the backend of a step."""
    if size == picture.shape[:2]:
        return picture
    if step['backend'] == 'pillow' and step['interpolation'] in PILLOW:
        return np.asarray(Image.fromarray(picture).resize(size[::-1], PILLOW[step['interpolation']]))
    if step['interpolation'] == 'nearest':
        rows, columns = (
            np.minimum((np.arange(new) * (old / new)).astype(int), old - 1)
            for old, new in zip(picture.shape[:2], size, strict=True)
        )
        return picture[rows[:, None], columns]
    if step['interpolation'] != 'bilinear':
        raise DataError(
            f'the test pipeline of this model resizes by {step["interpolation"]!r}: prepare the images '
            'yourself, or use `mmrev predict CONFIG CHECKPOINT IMAGES`'
        )
    maps = interpolate(picture.transpose(2, 0, 1).astype(np.float32), size, align_corners=False)
    return np.rint(maps).clip(0, 255).astype(np.uint8).transpose(1, 2, 0)


def interpolate(maps: np.ndarray, size: tuple[int, int], align_corners: bool) -> np.ndarray:
    """Resizes maps [C, h, w] bilinearly to [C, H, W], as torch and OpenCV do.

    Example:
        >>> interpolate(np.array([[[0.0, 1.0]]]), (1, 4), align_corners=False)[0, 0].tolist()
        [0.0, 0.25, 0.75, 1.0]
        >>> interpolate(np.array([[[0.0, 3.0]]]), (1, 4), align_corners=True)[0, 0].round(6).tolist()
        [0.0, 1.0, 2.0, 3.0]
    """
    place: np.ndarray
    for axis, target in ((1, size[0]), (2, size[1])):
        length = maps.shape[axis]
        if target == length:
            continue
        place = np.arange(target, dtype=np.float32)
        if align_corners:
            place = place * np.float32((length - 1) / max(target - 1, 1))
        else:
            place = np.maximum((place + np.float32(0.5)) * np.float32(length / target) - np.float32(0.5), 0)
        low = np.minimum(place.astype(int), length - 1)
        high = np.minimum(low + 1, length - 1)
        share = (place - low).astype(maps.dtype).reshape([-1 if axis == number else 1 for number in range(3)])
        maps = maps.take(low, axis) * (1 - share) + maps.take(high, axis) * share
    return maps
