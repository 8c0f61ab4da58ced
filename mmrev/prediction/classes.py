"""The names and colours of classes."""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

Palette = list[list[int]]


@dataclass(frozen=True)
class Classes:
    """The names and colours (RGB) of the classes, in the order of the model's outputs."""

    names: Sequence[str]
    palette: Sequence[Sequence[int]]


def distinct_colors(names: Sequence[str]) -> Palette:
    """Returns a colour for each class, far from those of its neighbours. A class named background is black.

    Example:
        >>> distinct_colors(['background', 'cat'])
        [[0, 0, 0], [46, 193, 230]]
    """
    golden = 0.618034
    colors = []
    for index, name in enumerate(names):
        color = colorsys.hsv_to_rgb((index * golden - 0.085) % 1, 0.8, 0.9 - 0.35 * (index // 6 % 2))
        colors.append([0, 0, 0] if name == 'background' else [round(255 * part) for part in color])
    return colors
