"""COCO's JSON: boxes, polygons and run-length codes of objects."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from mmrev.errors import DataError
from mmrev.prediction.names import shown

from ..objects import Annotations, Object, box_around

KEYS = ('images', 'annotations', 'categories')


def load_json(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
        DataError: It is missing or no JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f'{shown(path)} cannot be read ({error.strerror})') from error
    except ValueError as error:
        raise DataError(f'{shown(path)} is no JSON ({error}): export it again') from error


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    """Says in one line that a file lacks something, or has something else in its place."""
    try:
        yield
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f'{shown(path)} is damaged ({type(error).__name__}: {error}): export it again') from error


def is_coco(content: Any) -> bool:
    """Recognises the content of COCO's JSON.

    Example:
        >>> is_coco(dict(images=[], annotations=[], categories=[])), is_coco(dict(shapes=[]))
        (True, False)
    """
    return isinstance(content, dict) and all(isinstance(content.get(key), list) for key in KEYS)


def read_coco(files: Sequence[Path], images: Iterable[str], names: Sequence[str] | None) -> Annotations:
    """Reads one file, or one for each split.

    Args:
        files: The files. All have the same categories.
        images: The names of the images below their folder.
        names: The classes that are wanted, in their order; None for all categories.

    Raises:
        DataError: A file is damaged, an image of it is missing, or a class is none of its categories.
    """
    contents = {path: load_json(path) for path in files}
    categories: dict[int, str] = {}
    for path, content in contents.items():
        with damaged(path):
            for category in content['categories']:
                if categories.setdefault(category['id'], str(category['name'])) != category['name']:
                    raise DataError(
                        f'{shown(path)} has other categories than the files beside it: give files of one kind'
                    )
    classes = list(names or dict.fromkeys(categories.values()))
    if unknown := [name for name in classes if name not in categories.values()]:
        raise DataError(
            f'{shown(files[0])} has no category {unknown[0]!r}: it has {", ".join(list(categories.values())[:10])}'
        )
    index = Index(images)
    objects: dict[str, list[Object]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for path, content in contents.items():
        with damaged(path):
            objects |= _objects(path, content, index, categories, classes, sizes)
    count = sum(len(items) for items in objects.values())
    return Annotations(classes, objects, f"COCO's JSON with {count} objects of {len(classes)} classes", sizes)


class Index:
    """Finds an image by the name in an annotation, which may have other folders in front.

    Example:
        >>> Index(['train/a.jpg', 'b.jpg']).find('a.jpg', Path('x.json'))
        'train/a.jpg'
    """

    def __init__(self, images: Iterable[str]) -> None:
        self.names = set(images)
        self.by_end: Mapping[str, list[str]] = defaultdict(list)
        for name in self.names:
            self.by_end[PurePosixPath(name).name].append(name)

    def find(self, wanted: str, path: Path) -> str:
        """Returns the name below the folder of images.

        Raises:
            DataError: There is no such image, or more than one.
        """
        wanted = str(wanted).replace('\\', '/')
        if wanted in self.names:
            return wanted
        found = self.by_end.get(PurePosixPath(wanted).name, [])
        if len(found) > 1:  # the split in the name of the file decides
            found = [name for name in found if set(_words(name)) & set(_words(path.stem))]
        if len(found) != 1:
            many = 'more than one image has this name' if found else 'it is not in the folder of --images'
            raise DataError(f'{shown(path)} names the image {shown(wanted)}: {many}')
        return found[0]


def _objects(
    path: Path,
    content: dict,
    index: Index,
    categories: Mapping[int, str],
    classes: Sequence[str],
    sizes: dict[str, tuple[int, int]],
) -> dict[str, list[Object]]:
    """Returns the objects of each image of a file, and adds the images' sizes."""
    name_of = {image['id']: index.find(image['file_name'], path) for image in content['images']}
    sizes.update({name_of[image['id']]: (int(image['width']), int(image['height'])) for image in content['images']})
    objects: dict[str, list[Object]] = {name: [] for name in name_of.values()}
    for annotation in content['annotations']:
        if annotation['image_id'] not in name_of:
            raise DataError(f'{shown(path)}: annotation {annotation.get("id")} is of an image that is not listed')
        if (item := _object(annotation, categories, classes, path)) is not None:
            objects[name_of[annotation['image_id']]].append(item)
    return objects


def _words(text: str) -> list[str]:
    return re.findall(r'[a-z]+', PurePosixPath(text).with_suffix('').as_posix().lower())


def _object(annotation: dict, categories: Mapping[int, str], classes: Sequence[str], path: Path) -> Object | None:
    name = categories.get(annotation['category_id'])
    if name is None:
        raise DataError(
            f'{shown(path)}: annotation {annotation.get("id")} has the category {annotation["category_id"]}, which '
            'is not listed'
        )
    if name not in classes:
        return None
    outline = annotation.get('segmentation') or None
    if isinstance(outline, list):
        outline = [polygon for polygon in outline if len(polygon) >= 6] or None
    box = annotation.get('bbox') or (box_around(outline) if isinstance(outline, list) else None)
    if box is None or len(box) != 4:
        raise DataError(
            f'{shown(path)}: annotation {annotation.get("id")} has no box: expected bbox=[x, y, width, height]'
        )
    crowd = bool(annotation.get('iscrowd'))
    return Object(classes.index(name), (box[0], box[1], box[2], box[3]), outline, crowd)
