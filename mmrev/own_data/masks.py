"""Labels for segmentation: from mask images of any kind, or drawn from the outlines of objects.

Shapes: H x W an image.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mmrev.errors import ConfigError, DataError
from mmrev.prediction.metainfo import distinct_colors
from mmrev.prediction.names import shown

from .classes import ClassFile
from .formats.color_masks import decide_colors, is_grey
from .formats.label_masks import IGNORED, Decision, decide
from .formats.mask_files import PALETTE_COLORS, MaskFile, count, read_mask, unpack
from .objects import Annotations, draw

Sizes = Mapping[str, tuple[int, int]]
Track = Callable[[Iterable, str], Iterable]  # shows the progress of a loop


@dataclass(frozen=True)
class Labels:
    """The masks of a data set.

    Args:
        classes: The names of the classes.
        palette: Their colours.
        says: The recognised format.
        mask: Returns the labels [H, W] of an image, from 0 on, 255 ignored.
        pixels: The number of pixels of each label in each image, where they are known already.
        off_by_one: Whether ``reduce_zero_label`` makes the labels; None if only :attr:`mask` makes them.
    """

    classes: Sequence[str]
    palette: Sequence[Sequence[int]]
    says: str
    mask: Callable[[str], np.ndarray]
    pixels: Mapping[str, np.ndarray] | None = None
    off_by_one: bool | None = None


@dataclass(frozen=True)
class _Seen:
    """The facts about a mask file that the first look finds."""

    counts: Counter[int]
    colored: bool
    direct: bool
    palette: tuple | None

    @property
    def colors(self) -> Counter[int]:
        """The counts by colour."""
        if self.colored:
            return self.counts
        found: Counter[int] = Counter()
        for value, pixels in self.counts.items():
            found[self.palette[value] if self.palette else value * 0x010101] += pixels
        return found


def labels_of_masks(
    files: Mapping[str, Path], sizes: Sizes, given: ClassFile | None, ignore: Sequence[str], track: Track
) -> Labels:
    """Looks at all masks and decides what their values mean.

    Args:
        files: The mask of each image.
        sizes: The width and height of each image.
        given: The classes of the user; None to take them from the values.
        ignore: Labels (``'0'``) and colours (``'#ff00ff'``) that are ignored.
        track: Shows the progress.

    Raises:
        DataError: A mask is unreadable or has another size than its image, or the values fit no classes.
        ConfigError: A value of ``ignore`` is none.
    """
    seen = {name: _look(path, sizes[name]) for name, path in track(files.items(), 'masks')}
    by_color = _use_colors(seen.values(), given)
    decision, grey = _decide(seen.values(), given, ignore, by_color)
    direct = not by_color and all(one.direct for one in seen.values()) and (decision.same or decision.off_by_one)
    read = partial(_read, files=files, labels=decision.labels, by_color=by_color, grey=grey)
    return Labels(
        classes=list(decision.classes),
        palette=_palette(decision, given, by_color and not grey, seen.values()),
        says=decision.says,
        mask=read,
        pixels={name: _histogram(one, decision.labels, by_color, grey) for name, one in seen.items()},
        off_by_one=not decision.same if direct else None,
    )


def labels_of_objects(annotations: Annotations, sizes: Sizes, given: ClassFile | None) -> Labels:
    """Draws the outlines of objects. The rest is the background, the first class.

    Raises:
        DataError: The objects have boxes alone.
    """
    if not annotations.outlined:
        raise DataError(f'{annotations.says}: boxes alone make no masks; --task detection makes a detector of them')
    classes = ['background', *annotations.classes]
    palette = list(given.palette) if given and given.palette and len(given.palette) == len(classes) else None
    return Labels(
        classes=classes,
        palette=palette or distinct_colors(classes),
        says=annotations.says,
        mask=lambda name: draw(annotations.objects[name], *sizes[name]),
    )


def histogram(mask: np.ndarray) -> np.ndarray:
    """Counts the labels of a mask, [256].

    Example:
        >>> histogram(np.array([[0, 2], [2, 255]]))[[0, 1, 2, 255]].tolist()
        [1, 0, 2, 1]
    """
    return np.bincount(mask.ravel(), minlength=256)


def require_size(what: Path | str, size: tuple[int, int], image: tuple[int, int]) -> None:
    """Checks that an annotation is made for an image of this size.

    Raises:
        DataError: It is not.

    Example:
        >>> require_size('a.png', (48, 64), (64, 48))
        Traceback (most recent call last):
        mmrev.errors.DataError: a.png is for 48 x 64 pixels, and its image has 64 x 48: ...
    """
    if size == image:
        return
    turned = ' (a viewer turns the image by EXIF: save it upright)' if size == image[::-1] else ''
    raise DataError(
        f'{shown(what)} is for {size[0]} x {size[1]} pixels, and its image has {image[0]} x {image[1]}{turned}: '
        'expected the same size; export it again'
    )


def _look(path: Path, size: tuple[int, int]) -> _Seen:
    mask = read_mask(path)
    require_size(path, (mask.values.shape[1], mask.values.shape[0]), size)
    palette = None
    if mask.palette is not None:
        colors = mask.palette.astype(int) @ np.array([65536, 256, 1])
        palette = tuple(colors.tolist())
    return _Seen(count(mask.values), mask.colored, mask.direct, palette)


def _use_colors(seen: Collection[_Seen], given: ClassFile | None) -> bool:
    """Decides whether colours count. The indices of palettes do not where each file has a palette of its own."""
    if any(one.colored for one in seen):
        return True
    palettes = [one for one in seen if one.palette is not None]
    color_of: dict[int, int] = {}
    for one in palettes:
        for value in one.counts:
            assert one.palette is not None
            if color_of.setdefault(value, one.palette[value]) != one.palette[value]:
                return True
    if not palettes or not given or not given.palette:
        return False
    known = {(r << 16) + (g << 8) + b for r, g, b in given.palette}
    return set(color_of.values()) <= known and len(palettes) == len(seen)


def _decide(
    seen: Collection[_Seen], given: ClassFile | None, ignore: Sequence[str], by_color: bool
) -> tuple[Decision, bool]:
    pixels: Counter[int] = Counter()
    for one in seen:
        pixels.update(one.colors if by_color else one.counts)
    names, palette = (given.names, given.palette) if given else (None, None)
    grey = by_color and palette is None and is_grey(pixels)
    if by_color and not grey:
        left_out = [_as_color(value) for value in ignore]
        return decide_colors(pixels, names, palette, left_out), False
    values = {value & 255: number for value, number in pixels.items()} if grey else pixels
    return decide(values, names, [_as_label(value) for value in ignore]), grey


def _as_label(text: str) -> int:
    if not text.isdecimal():
        raise ConfigError(f'--ignore {text}: the masks have labels, so expected a whole number such as 0')
    return int(text)


def _as_color(text: str) -> int:
    try:
        if len(text) != 7 or text[0] != '#':
            raise ValueError(text)
        return int(text[1:], 16)
    except ValueError:
        raise ConfigError(f"--ignore {text}: the masks have colours, so expected one such as '#ff00ff'") from None


def _read(name: str, files: Mapping[str, Path], labels: Mapping[int, int], by_color: bool, grey: bool) -> np.ndarray:
    mask: MaskFile = read_mask(files[name])
    values = mask.colors if by_color else mask.values
    values = values & 255 if grey else values
    known = np.array(sorted(labels))
    table = np.array([labels[value] for value in known.tolist()], np.uint8)
    return table[np.searchsorted(known, values)]


def _histogram(one: _Seen, labels: Mapping[int, int], by_color: bool, grey: bool) -> np.ndarray:
    result = np.zeros(256, int)
    for value, pixels in (one.colors if by_color else one.counts).items():
        result[labels[value & 255 if grey else value]] += pixels
    return result


def _palette(decision: Decision, given: ClassFile | None, colored: bool, seen: Collection[_Seen]) -> list[list[int]]:
    classes = decision.classes
    if given and given.palette and len(given.palette) == len(classes):
        return [list(color) for color in given.palette]
    value_of = {label: value for value, label in decision.labels.items() if label != IGNORED}
    if colored:
        return [unpack(value_of[label]) for label in range(len(classes))]
    palette = next((one.palette for one in seen if one.palette), None)
    if palette and max(value_of.values()) < PALETTE_COLORS:
        colors = [palette[value_of[label]] for label in range(len(classes))]
        if len(set(colors)) == len(colors):
            return [unpack(color) for color in colors]
    return distinct_colors(classes)
