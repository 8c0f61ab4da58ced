"""Recognising the kind of annotations in a file or folder."""

import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mmrev.errors import DataError
from mmrev.prediction.names import shown
from mmrev.prediction.sources import PICTURES

from .formats.coco import is_coco, load_json, read_coco
from .formats.labelme import is_labelme, read_labelme
from .formats.yolo import LISTS, find_names, is_yolo, read_yolo
from .masks import Sizes
from .objects import Annotations
from .pairs import Pairs, pair
from .pictures import find_files
from .splits import split_of_folder

EXPECTED = "expected mask images, COCO's JSON, LabelMe's JSON or YOLO's text files"
ADVICE = {
    '.xml': 'Pascal VOC: convert its boxes to the JSON of COCO',
    '.npy': 'arrays: save them as PNG masks',
    '.mat': 'MATLAB: save the labels as PNG masks',
    '.zip': 'an archive: unpack it',
}
Reader = Callable[[Sizes, Sequence[str] | None], Annotations]


@dataclass(frozen=True)
class Source:
    """The annotations of the user, of one kind.

    Args:
        names: The names of the images that have annotations.
        read: Reads objects, with the sizes of the images and the names of the classes. None for masks.
        pairs: The files of the images; None for COCO's JSON, where one file is for many images.
        splits: The images of each file of COCO that is named after a split.
    """

    names: Sequence[str]
    read: Reader | None
    pairs: Pairs | None
    splits: Mapping[str, Sequence[str]] = field(default_factory=dict)


def find_source(place: Path, images: Mapping[str, Path]) -> Source:
    """Finds the annotations in a file or a folder.

    Args:
        place: A JSON file of COCO, or a folder of masks, of JSON or of text files.
        images: The images by their names below their folder.

    Raises:
        DataError: The place is missing, or has annotations of none of the known kinds.

    Example:
        >>> find_source(Path('no_such_file.json'), {})
        Traceback (most recent call last):
        mmrev.errors.DataError: no_such_file.json is missing: expected mask images, ...
    """
    if not place.exists():
        raise DataError(f'{shown(place)} is missing: {EXPECTED}')
    if place.is_file():
        if place.suffix.lower() != '.json':
            raise _unknown(place, [place.suffix.lower()])
        return _coco([place], images)
    own = {path.resolve() for path in images.values()}  # the annotations may lie beside the images
    kinds = _count_suffixes(place, own)
    if kinds['.json'] and not any(kinds[suffix] for suffix in PICTURES):
        return _of_json(find_files(place, ['.json'], 'annotations'), images)
    if kinds['.txt'] and not any(kinds[suffix] for suffix in PICTURES):
        return _of_text(place, images)
    if any(kinds[suffix] for suffix in PICTURES):
        files = {name: path for name, path in find_files(place, PICTURES, 'masks').items() if path.resolve() not in own}
        pairs = pair(images, files)
        return Source(list(pairs.files), None, pairs)
    raise _unknown(place, list(kinds))


def _count_suffixes(place: Path, leave_out: Collection[Path]) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for folder, _, names in os.walk(place):
        for name in names:
            path = Path(folder, name)
            if not name.startswith('.') and name.lower() not in LISTS and path.resolve() not in leave_out:
                kinds[path.suffix.lower()] += 1
    return kinds


def _of_json(files: Mapping[str, Path], images: Mapping[str, Path]) -> Source:
    contents: dict[Path, Any] = {}
    for path in files.values():
        contents[path] = load_json(path)
        if is_labelme(contents[path]):
            pairs = pair(images, files)
            return Source(list(pairs.files), partial(_read_labelme, pairs.files), pairs)
        if is_coco(contents[path]):
            return _coco([path for path in files.values() if is_coco(load_json(path))], images)
    raise DataError(f'{shown(next(iter(contents)))} is neither JSON of COCO nor of LabelMe: {EXPECTED}')


def _read_labelme(files: Mapping[str, Path], _: Sizes, names: Sequence[str] | None) -> Annotations:
    return read_labelme(files, names)


def _of_text(place: Path, images: Mapping[str, Path]) -> Source:
    files = {
        name: path for name, path in find_files(place, ['.txt'], 'text files').items() if path.name.lower() not in LISTS
    }
    if not is_yolo(files):
        raise DataError(f'{shown(next(iter(files.values())))} is not of YOLO: {EXPECTED}')
    pairs = pair(images, files)

    def read(sizes: Sizes, names: Sequence[str] | None) -> Annotations:
        return read_yolo(pairs.files, sizes, names or find_names(place))

    return Source(list(pairs.files), read, pairs)


def _coco(files: Sequence[Path], images: Mapping[str, Path]) -> Source:
    if not is_coco(load_json(files[0])):
        what = "LabelMe's: give the folder of all its files" if is_labelme(load_json(files[0])) else "not COCO's"
        raise DataError(f'{shown(files[0])} is {what}; {EXPECTED}')
    splits: dict[str, list[str]] = {}
    file_of: dict[str, Path] = {}
    for path in files:
        listed = list(read_coco([path], images, None).objects)
        splits.setdefault(split_of_folder(path.stem) or '', []).extend(listed)
        for name in listed:
            if file_of.setdefault(name, path) != path:
                raise DataError(
                    f'{shown(file_of[name])} and {shown(path)} have the same image {shown(name)}: name one of them'
                )
    if '' in splits or 'train' not in splits:
        splits = {}
    return Source(list(file_of), lambda sizes, names: read_coco(files, images, names), None, splits)


def _unknown(place: Path, suffixes: Sequence[str]) -> DataError:
    for suffix in suffixes:
        if suffix in ADVICE:
            return DataError(f'{shown(place)} has {suffix} files ({ADVICE[suffix]}); {EXPECTED}')
    has = f'has {", ".join(sorted(suffixes)[:5])} files' if suffixes else 'is empty'
    return DataError(f'{shown(place)} {has}: {EXPECTED}')
