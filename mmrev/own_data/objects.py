"""Objects with outlines or boxes, and what is made of them: masks, or COCO's JSON.

Shapes: H x W the image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import numpy as np

from mmrev.errors import HostError

from .formats.label_masks import IGNORED

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Object:
    """An object in an image.

    Args:
        label: The index of its class; None for a region that is ignored.
        box: x, y, width and height in pixels.
        outline: Polygons (x, y, x, y, ...), or a run-length code of COCO; None for a box alone.
        crowd: Whether it stands for many objects.
        mask: The pixels [h, w] from the corner of the box on, in place of an outline.
    """

    label: int | None
    box: Box
    outline: Sequence[Sequence[float]] | Mapping[str, Any] | None = None
    crowd: bool = False
    mask: np.ndarray | None = None


@dataclass(frozen=True)
class Annotations:
    """The objects of a data set.

    Args:
        classes: The names of the classes.
        objects: The objects of each annotated image, by the image's name.
        says: The recognised format, in a few words.
        sizes: The width and height of images, where the annotations say them.
        problems: The files that were left out, a line each.
    """

    classes: Sequence[str]
    objects: Mapping[str, Sequence[Object]]
    says: str
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    problems: Sequence[str] = ()

    @property
    def outlined(self) -> bool:
        """Whether some object has an outline, so that masks can be drawn."""
        return any(_has_outline(item) for items in self.objects.values() for item in items)


def draw(objects: Sequence[Object], width: int, height: int, background: int = 0) -> np.ndarray:
    """Draws objects into a mask. A small object lies over a large one, and what is ignored over all.

    Args:
        objects: The objects. Those of label 0 have the value 1, because 0 is the background.
        width: W.
        height: H.
        background: The value where no object is.

    Returns:
        [H, W], uint8.

    Example:
        >>> square = Object(0, (1, 1, 2, 2), outline=[[1, 1, 3, 1, 3, 3, 1, 3]])
        >>> draw([square], 4, 4).tolist()
        [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    mask = np.full((height, width), background, np.uint8)
    drawn = [(item.label, _pixels(item, width, height)) for item in objects if _has_outline(item)]
    for label, pixels in sorted(drawn, key=lambda pair: (pair[0] is None, -int(pair[1].sum()))):
        mask[pixels] = IGNORED if label is None else label + 1
    return mask


def as_coco(
    names: Sequence[str],
    objects: Mapping[str, Sequence[Object]],
    sizes: Mapping[str, tuple[int, int]],
    classes: Sequence[str],
) -> dict:
    """Returns the content of COCO's JSON for some images. The id of a category is the index of its class plus 1.

    Example:
        >>> content = as_coco(['a.jpg'], {'a.jpg': [Object(0, (1, 2, 3, 4))]}, {'a.jpg': (64, 48)}, ['cat'])
        >>> content['annotations'][0]['bbox'], content['images'][0]['width']
        ([1, 2, 3, 4], 64)
    """
    images = [
        dict(id=index, file_name=name, width=sizes[name][0], height=sizes[name][1])
        for index, name in enumerate(names, start=1)
    ]
    annotations = [
        dict(
            image_id=image['id'],
            category_id=item.label + 1,
            bbox=list(item.box),
            area=item.box[2] * item.box[3],
            iscrowd=int(item.crowd),
            segmentation=item.outline or [],
        )
        for image in images
        for item in objects.get(str(image['file_name']), ())
        if item.label is not None
    ]
    return dict(
        images=images,
        annotations=[dict(id=index, **annotation) for index, annotation in enumerate(annotations, start=1)],
        categories=[dict(id=index, name=name) for index, name in enumerate(classes, start=1)],
    )


def box_around(polygons: Sequence[Sequence[float]]) -> Box:
    """Returns the box of polygons.

    Example:
        >>> box_around([[1, 2, 5, 2, 5, 4]])
        (1, 2, 4, 2)
    """
    x = [value for polygon in polygons for value in polygon[::2]]
    y = [value for polygon in polygons for value in polygon[1::2]]
    return min(x), min(y), max(x) - min(x), max(y) - min(y)


def _has_outline(item: Object) -> bool:
    return bool(item.outline) or item.mask is not None


def _pixels(item: Object, width: int, height: int) -> np.ndarray:
    if item.mask is not None:
        return _pasted(item.mask, round(item.box[0]), round(item.box[1]), width, height)
    if find_spec('pycocotools') is None:
        raise HostError(
            'outlines of objects are drawn with pycocotools, which is not installed: pip install pycocotools'
        )
    from pycocotools import mask as coco

    outline = item.outline
    if isinstance(outline, Mapping):
        counts = outline['counts']
        code = coco.frPyObjects(dict(outline), height, width) if isinstance(counts, list) else dict(outline)
    else:
        code = coco.merge(coco.frPyObjects([list(map(float, polygon)) for polygon in outline or ()], height, width))
    return coco.decode(code).astype(bool)


def _pasted(mask: np.ndarray, x: int, y: int, width: int, height: int) -> np.ndarray:
    pixels = np.zeros((height, width), bool)
    part = mask[max(-y, 0) : height - y, max(-x, 0) : width - x]
    pixels[max(y, 0) : max(y, 0) + part.shape[0], max(x, 0) : max(x, 0) + part.shape[1]] = part
    return pixels
