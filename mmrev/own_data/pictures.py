"""The images of a folder: their names, and what can be wrong with their files."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from PIL import Image

from mmrev.errors import DataError
from mmrev.prediction.names import shown
from mmrev.prediction.reading import check_file, what_it_is
from mmrev.prediction.sources import PICTURES

SWAPPED = (5, 6, 7, 8)  # orientations of EXIF with which a viewer swaps width and height


def find_files(folder: Path, suffixes: Collection[str], what: str) -> dict[str, Path]:
    """Finds the files of a folder and its sub-folders, without hidden ones.

    Args:
        folder: The folder.
        suffixes: Those of the files, in lower case.
        what: Their name in the error.

    Returns:
        The paths by their names below the folder, sorted.

    Raises:
        DataError: The folder is missing or has no such file, or a name does not fit into a list of names.

    Example:
        >>> find_files(Path('no_such_folder'), ['.jpg'], 'images')
        Traceback (most recent call last):
        mmrev.errors.DataError: no_such_folder is missing: expected a folder of images
    """
    if not folder.is_dir():
        problem = 'is a file' if folder.exists() else 'is missing'
        raise DataError(f'{shown(folder)} {problem}: expected a folder of {what}')
    found, others = {}, set()
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        for name in sorted(name for name in names if not name.startswith('.')):
            path = Path(place, name)
            if path.suffix.lower() in suffixes:
                found[path.relative_to(folder).as_posix()] = path
            else:
                others.add(path.suffix.lower() or name)
    if not found:
        has = f'; it has {", ".join(sorted(map(shown, others))[:5])} files' if others else '; it is empty'
        raise DataError(f'{shown(folder)} has no {what}: expected {" ".join(suffixes)} files{has}')
    for name in found:
        _check_name(name)
    return dict(sorted(found.items()))


def find_images(folder: Path) -> dict[str, Path]:
    """Finds the images of a folder, as :func:`find_files`."""
    return find_files(folder, PICTURES, 'images')


def measure(path: Path) -> tuple[int, int]:
    """Reads a whole image, and returns its width and height as a viewer shows it, turned by EXIF.

    Raises:
        DataError: The file is missing, empty, truncated or no image.
    """
    orientation, form = check_file(path)
    if form is None:
        raise DataError(f'{shown(path)} is no image ({what_it_is(path)}): export it as JPEG or PNG, or take it out')
    with Image.open(path) as image:
        width, height = image.size
    return (height, width) if orientation in SWAPPED else (width, height)


def describe_sizes(sizes: Iterable[tuple[int, int]]) -> str:
    """Returns the sizes of images in a few words.

    Example:
        >>> describe_sizes([(480, 360), (480, 360)]), describe_sizes([(480, 360), (64, 64)])
        ('480 x 360', '64 x 64 to 480 x 360')
    """
    ordered = sorted(set(sizes), key=lambda size: (size[0] * size[1], size))
    first, last = ('{} x {}'.format(*size) for size in (ordered[0], ordered[-1]))
    return first if first == last else f'{first} to {last}'


def _check_name(name: str) -> None:
    # a list of names has one a line, in UTF-8, and its readers strip the lines
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f'the name {shown(name)} is not UTF-8: rename the file') from None
    if len(name.splitlines()) > 1 or name != name.strip():
        raise DataError(f'the name {name!r} has a line break, or a space at an end: rename the file')
