"""Mask images as they lie on disk: labels in one channel, or colours.

Shapes: H x W the mask.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageMode

from mmrev.errors import DataError
from mmrev.prediction.names import shown
from mmrev.prediction.reading import check_file, what_it_is

LOSSY = ('JPEG', 'MPO', 'WEBP')
PALETTE_COLORS = 256


@dataclass(frozen=True)
class MaskFile:
    """A mask.

    Args:
        values: [H, W]: the labels, or the colours as 65536 r + 256 g + b.
        colored: Whether the values are colours.
        direct: Whether mmsegmentation reads these labels from the file as it is.
        palette: [256, 3] for a file with a palette, else None. The values are then the indices.

    Example:
        >>> MaskFile(np.array([[0, 2]]), colored=False, direct=True).colors.tolist()
        [[0, 131586]]
    """

    values: np.ndarray
    colored: bool
    direct: bool
    palette: np.ndarray | None = None

    @property
    def colors(self) -> np.ndarray:
        """The colour of each pixel, [H, W]; grey for labels without a palette."""
        if self.colored:
            return self.values
        if self.palette is not None:
            return pack(self.palette)[self.values]
        return self.values.astype(np.int64) * 0x010101


def read_mask(path: Path) -> MaskFile:
    """Reads a mask of any kind.

    Raises:
        DataError: The file is unreadable, or blurs its labels.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     Image.new('RGB', (2, 1), (1, 0, 2)).save(f'{folder}/a.png')
        ...     read_mask(Path(folder, 'a.png')).values.tolist()
        [[65538, 65538]]
    """
    _, form = check_file(path)
    if form is None:
        raise DataError(f'{shown(path)} is no image ({what_it_is(path)}): export the masks as PNG')
    if form in LOSSY:
        raise DataError(f'{shown(path)} is a {form} file, which blurs the labels of a mask: export the masks as PNG')
    with Image.open(path) as image:
        if image.mode == 'P':
            palette = np.zeros((PALETTE_COLORS, 3), np.uint8)
            colors = np.array(image.getpalette('RGB'), np.uint8).reshape(-1, 3)
            palette[: len(colors)] = colors
            return MaskFile(np.array(image), colored=False, direct=True, palette=palette)
        if image.mode in ('L', '1') or image.mode.startswith('I'):
            return MaskFile(np.array(image).astype(np.int64), colored=False, direct=image.mode == 'L')
        if image.mode in ('LA', 'La'):
            return MaskFile(np.array(image)[..., 0].astype(np.int64), colored=False, direct=False)
        if ImageMode.getmode(image.mode).basetype != 'L':
            raise DataError(f'{shown(path)} has decimal numbers: export the masks as PNG with whole numbers, 0 to 255')
        return MaskFile(pack(np.array(image.convert('RGB'))), colored=True, direct=False)


def pack(colors: np.ndarray) -> np.ndarray:
    """Turns colours [..., 3] into numbers [...].

    Example:
        >>> pack(np.array([[1, 0, 2]])).tolist()
        [65538]
    """
    return colors.astype(np.int64) @ np.array([65536, 256, 1])


def unpack(color: int) -> list[int]:
    """Turns the number of a colour into red, green and blue.

    Example:
        >>> unpack(65538)
        [1, 0, 2]
    """
    return [color >> 16, color >> 8 & 255, color & 255]


def count(values: np.ndarray) -> Counter[int]:
    """Counts each value of a mask. It sorts runs of equal values, which are far fewer than the pixels.

    Example:
        >>> count(np.array([[5, 5, 0], [0, 5, 5]]))
        Counter({5: 4, 0: 2})
    """
    flat = values.ravel()
    starts = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1]) if flat.size else np.zeros(0, int)
    found, where = np.unique(flat[starts], return_inverse=True)
    lengths = np.diff(np.append(starts, flat.size))
    return Counter(dict(zip(found.tolist(), np.bincount(where.ravel(), lengths).astype(int).tolist(), strict=True)))
