"""LabelMe's JSON: one file an image, with the shapes that a person drew."""

import base64
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmrev.errors import DataError
from mmrev.prediction.names import shown

from ..objects import Annotations, Object, box_around
from .coco import damaged, load_json

IGNORE, BACKGROUND = '__ignore__', '_background_'
CORNERS = 64  # of the polygon that stands for a circle


def is_labelme(content: Any) -> bool:
    """Recognises the content of LabelMe's JSON.

    Example:
        >>> is_labelme(dict(shapes=[], imagePath='a.jpg')), is_labelme([])
        (True, False)
    """
    return isinstance(content, dict) and isinstance(content.get('shapes'), list)


def read_labelme(files: Mapping[str, Path], names: Sequence[str] | None) -> Annotations:
    """Reads the files.

    Args:
        files: The file of each image, by the image's name.
        names: The classes, in their order; None for all labels, sorted.

    Raises:
        DataError: A file is damaged, or has a label that is no class or a shape without an area.
    """
    contents = {name: _load(path) for name, path in files.items()}
    labels = {str(shape['label']) for content in contents.values() for shape in content['shapes']}
    classes = list(names or sorted(labels - {IGNORE, BACKGROUND, 'background'}))
    objects = {}
    for name, content in contents.items():
        with damaged(files[name]):
            shapes = [shape for shape in content['shapes'] if shape['label'] not in (BACKGROUND, 'background')]
            objects[name] = [_object(shape, classes, files[name]) for shape in shapes]
    sizes = {
        name: (int(content['imageWidth']), int(content['imageHeight']))
        for name, content in contents.items()
        if content.get('imageWidth') and content.get('imageHeight')
    }
    count = sum(map(len, objects.values()))
    return Annotations(classes, objects, f"LabelMe's JSON with {count} shapes of {len(classes)} classes", sizes)


def _load(path: Path) -> dict:
    content = load_json(path)
    if not is_labelme(content) or not all(isinstance(shape, dict) and 'label' in shape for shape in content['shapes']):
        raise DataError(f'{shown(path)} is not of LabelMe, as others are: expected shapes with labels; take it out')
    return content


def _object(shape: dict, classes: Sequence[str], path: Path) -> Object:
    name = str(shape['label'])
    if name not in classes and name != IGNORE:
        raise DataError(f'{shown(path)} has the label {name!r}, which is not in the file of --classes: add it there')
    label = None if name == IGNORE else classes.index(name)
    points, kind = shape['points'], shape.get('shape_type') or 'polygon'
    if kind == 'mask':
        mask = np.array(Image.open(io.BytesIO(base64.b64decode(shape['mask'])))).astype(bool)
        (x, y), _ = points
        return Object(label, (x, y, mask.shape[1], mask.shape[0]), mask=mask)
    polygon = _polygon(kind, points)
    if polygon is None:
        raise DataError(
            f'{shown(path)} has a {kind} of {len(points)} points for {name!r}, which has no area: draw a polygon, a '
            'rectangle or a circle'
        )
    return Object(label, box_around([polygon]), [polygon])


def _polygon(kind: str, points: Sequence[Sequence[float]]) -> list[float] | None:
    if kind == 'rectangle' and len(points) == 2:
        (left, top), (right, bottom) = points
        points = [(left, top), (right, top), (right, bottom), (left, bottom)]
    elif kind == 'circle' and len(points) == 2:
        (x, y), edge = points
        radius = math.dist((x, y), edge)
        angles = [2 * math.pi * step / CORNERS for step in range(CORNERS)]
        points = [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]
    elif kind not in ('polygon', 'rectangle') or len(points) < 3:
        return None
    return [float(value) for point in points for value in point]
