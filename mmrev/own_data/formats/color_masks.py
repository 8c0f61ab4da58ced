"""Masks of colours: which class each colour is."""

from collections.abc import Collection, Mapping, Sequence

from mmrev.errors import DataError

from .label_masks import IGNORED, Decision
from .mask_files import unpack

MOST_COLORS = 255


def is_grey(colors: Collection[int]) -> bool:
    """Returns whether all colours are grey: labels that were saved with three channels.

    Example:
        >>> is_grey([0x000000, 0x0b0b0b]), is_grey([0x000001])
        (True, False)
    """
    return all(color == (color & 255) * 0x010101 for color in colors)


def decide_colors(
    pixels: Mapping[int, int],
    names: Sequence[str] | None,
    palette: Sequence[Sequence[int]] | None,
    ignore: Collection[int] = (),
) -> Decision:
    """Decides which class each colour in masks is.

    Args:
        pixels: The colours of all masks, with the number of their pixels.
        names: The names of the classes, or None to make a class of each colour.
        palette: The colours of the named classes.
        ignore: Colours that are ignored.

    Raises:
        DataError: The names have no colours, the masks have others, or too many to be classes.

    Example:
        >>> decide_colors({0x000000: 9, 0x804000: 1}, None, None).classes
        ['#000000', '#804000']
    """
    found = sorted(set(pixels) - set(ignore))
    left_out = dict.fromkeys(ignore, IGNORED)
    says = f'colour masks of {len(found)} colours'
    if names is None:
        if len(found) > MOST_COLORS:
            raise DataError(
                f'the masks have {len(found)} colours: a colour mask has one colour a class. They were blurred by '
                'resizing, or these are no masks: export the masks again, as PNG'
            )
        classes = [hexadecimal(color) for color in found]
        return Decision({color: label for label, color in enumerate(found)} | left_out, classes, says)
    if palette is None:
        raise DataError(
            f'the masks are colour masks, and the file of --classes has names without colours: write a line such as '
            f'"{names[0]} {" ".join(map(str, unpack(found[-1])))}" for each class, or use --classes auto'
        )
    known = {(r << 16) + (g << 8) + b: label for label, (r, g, b) in enumerate(palette)}
    _require_known(known, {color: pixels[color] for color in found})
    return Decision({**known, **left_out}, names, says)


def _require_known(known: Collection[int], pixels: Mapping[int, int]) -> None:
    others = sorted((color for color in pixels if color not in known), key=lambda color: -pixels[color])
    if others:
        share = sum(pixels[color] for color in others) / sum(pixels.values())
        raise DataError(
            f'the masks have {len(others)} colours that are not in the file of --classes ({share:.2%} of the pixels), '
            f'such as {" ".join(map(str, unpack(others[0])))}: add them, or leave them out with --ignore '
            f"'{hexadecimal(others[0])}'"
        )


def hexadecimal(color: int) -> str:
    """Writes a colour as the web does.

    Example:
        >>> hexadecimal(65538)
        '#010002'
    """
    return f'#{color:06x}'
