"""YOLO's text files: one file an image, one line an object, in shares of the image's width and height.

A line of five numbers is a box: class, centre x, centre y, width, height. A longer line is a polygon: class, x, y, x,
y and so on.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mmrev.errors import DataError
from mmrev.prediction.names import shown

from ..classes import read_classes
from ..objects import Annotations, Object, box_around

LISTS = {'classes.txt', 'train.txt', 'val.txt', 'valid.txt', 'test.txt', 'readme.txt', 'obj.names'}
CLASS_FILES = ('data.yaml', 'data.yml', 'dataset.yaml', 'classes.txt', 'obj.names')
MARGIN = 0.01  # by which rounding may lead out of the image


def is_yolo(files: Mapping[str, Path]) -> bool:
    """Recognises YOLO's files by the first one that has a line."""
    for path in files.values():
        if lines := _lines(path):
            try:
                return len([float(part) for part in lines[0].split()]) >= 5
            except ValueError:
                return False
    return False


def find_names(folder: Path) -> list[str] | None:
    """Finds the names of the classes in the folder of the text files or above it, as YOLO's tools write them."""
    for place in (folder, *list(folder.absolute().parents)[:2]):
        for name in CLASS_FILES:
            if (path := place / name).is_file():
                return list(read_classes(path).names)
    return None


def read_yolo(
    files: Mapping[str, Path], sizes: Mapping[str, tuple[int, int]], names: Sequence[str] | None
) -> Annotations:
    """Reads the files.

    Args:
        files: The file of each image, by the image's name.
        sizes: The width and height of each image.
        names: The classes, in their order; None to number them.

    Raises:
        DataError: A line is wrong, or has a class beyond the names.
    """
    objects = {
        name: [_object(line, path, sizes[name]) for line in enumerate(_lines(path), 1)] for name, path in files.items()
    }
    last = max((item.label or 0 for items in objects.values() for item in items), default=-1)
    if last < 0:
        raise DataError(f'no text file has an object, such as {shown(next(iter(files.values())))}: export them again')
    classes = list(names or [f'class {index}' for index in range(last + 1)])
    if last >= len(classes):
        path = next(files[name] for name, items in objects.items() for item in items if item.label == last)
        raise DataError(
            f'{shown(path)} has the class {last}, and the {len(classes)} names are for 0 to {len(classes) - 1}'
        )
    count = sum(map(len, objects.values()))
    kind = 'polygons' if any(item.outline for items in objects.values() for item in items) else 'boxes'
    return Annotations(classes, objects, f"YOLO's text files with {count} {kind} of {len(classes)} classes")


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding='utf-8').splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f'{shown(path)} cannot be read as text ({error}): export it again') from error


def _object(numbered: tuple[int, str], path: Path, size: tuple[int, int]) -> Object:
    number, line = numbered
    try:
        label, *values = map(float, line.split())
        if label < 0 or not label.is_integer() or len(values) < 4 or len(values) % 2:
            raise ValueError(line)
        if not all(-MARGIN <= value <= 1 + MARGIN for value in values):
            raise ValueError(line)
    except ValueError:
        raise DataError(
            f'{shown(path)}, line {number}: {line.strip()[:60]!r} is no box of YOLO: expected "class x y width height" '
            'in shares of the image, 0 to 1'
        ) from None
    width, height = size
    if len(values) == 4:
        x, y, w, h = (value * edge for value, edge in zip(values, (width, height, width, height), strict=True))
        return Object(int(label), _clipped(x - w / 2, y - h / 2, w, h, size))
    scaled = [value * (height if index % 2 else width) for index, value in enumerate(values)]
    return Object(int(label), _clipped(*box_around([scaled]), size), [scaled])


def _clipped(x: float, y: float, w: float, h: float, size: tuple[int, int]) -> tuple[float, float, float, float]:
    left, top, right, bottom = max(x, 0), max(y, 0), min(x + w, size[0]), min(y + h, size[1])
    return left, top, right - left, bottom - top
