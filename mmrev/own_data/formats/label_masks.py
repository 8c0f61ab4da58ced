"""Masks of labels: which class each value is."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mmrev.errors import DataError

IGNORED = 255
MOST_LABELS = 100  # that are taken for classes without a list of names


@dataclass(frozen=True)
class Decision:
    """How the values of masks become classes.

    Args:
        labels: The label of each value, from 0 on; 255 for ignored.
        classes: The names.
        says: The recognised format, in a few words.
    """

    labels: Mapping[int, int]
    classes: Sequence[str]
    says: str

    @property
    def same(self) -> bool:
        """Whether the values are the labels already."""
        return all(value == label for value, label in self.labels.items())

    @property
    def off_by_one(self) -> bool:
        """Whether ``reduce_zero_label=True`` of mmsegmentation gives the labels."""
        return all(label == (IGNORED if value in (0, IGNORED) else value - 1) for value, label in self.labels.items())


def decide(pixels: Mapping[int, int], names: Sequence[str] | None, ignore: Collection[int] = ()) -> Decision:
    """Decides which class each value in masks is.

    Args:
        pixels: The values of all masks, with the number of their pixels.
        names: The names of the classes, or None to take them from the values.
        ignore: Values that are ignored.

    Raises:
        DataError: The values do not fit the names, or they are no labels.

    Example:
        >>> decide({0: 7, 255: 1}, None).classes
        ['background', 'foreground']
        >>> decide({1: 5, 2: 5}, ['sky', 'road']).off_by_one
        True
    """
    values = sorted(set(pixels) - set(ignore))
    left_out = dict.fromkeys(ignore, IGNORED)
    if not values:
        raise DataError('every pixel of the masks is ignored: give other values with --ignore')
    if values == [0, IGNORED] and (names is None or len(names) <= 2):
        return Decision({0: 0, IGNORED: 1, **left_out}, _two(names), 'masks of 0 and 255')
    if names is not None and len(names) == 1 and values[-1] == 1:
        return Decision({0: 0, 1: 1, IGNORED: IGNORED, **left_out}, _two(names), 'masks of 0 and 1')
    known = [value for value in values if value != IGNORED]
    left_out[IGNORED] = IGNORED
    if not known:
        raise DataError('every pixel of the masks is 255, which means ignored: export the masks again')
    if names is None:
        return _without_names(known, left_out)
    return _with_names(known, names, left_out, IGNORED in values)


def _two(names: Sequence[str] | None) -> list[str]:
    names = list(names or ['foreground'])
    return names if len(names) == 2 else ['background', *names]


def _without_names(known: Sequence[int], left_out: Mapping[int, int]) -> Decision:
    if len(known) > MOST_LABELS:
        raise DataError(
            f'the masks have {len(known)} values: a mask has one value a class. If they were blurred by resizing, '
            'export them again; if they have that many classes, name these with --classes FILE'
        )
    last = known[-1]
    if last >= 2 * len(known) + 2:  # gaps are no classes that happen to be absent
        labels = {value: label for label, value in enumerate(known)}
        return Decision(
            {**labels, **left_out}, [f'label {value}' for value in known], 'masks with gaps in their labels'
        )
    if known[0] > 0:
        labels = {value: value - 1 for value in range(1, last + 1)}
        says = 'masks that start at 1'
        return Decision({**labels, **left_out, 0: IGNORED}, [f'class {value}' for value in labels], says)
    labels = {value: value for value in range(last + 1)}
    return Decision({**labels, **left_out}, [f'class {value}' for value in labels], 'masks of labels')


def _with_names(known: Sequence[int], names: Sequence[str], left_out: Mapping[int, int], has_255: bool) -> Decision:
    size, first, last = len(names), known[0], known[-1]
    if last < size:
        return Decision({**{label: label for label in range(size)}, **left_out}, names, 'masks of labels')
    if last == size and first > 0:
        labels = {label + 1: label for label in range(size)}
        return Decision({**labels, **left_out, 0: IGNORED}, names, 'masks that start at 1')
    if len(known) == size:
        labels = {value: label for label, value in enumerate(known)}
        return Decision({**labels, **left_out}, names, 'masks with gaps in their labels, in the order of the names')
    if len(known) + 1 == size and has_255:
        labels = {value: label for label, value in enumerate([*known, IGNORED])}
        return Decision({**left_out, **labels}, names, 'masks with gaps in their labels, in the order of the names')
    if last == size:
        raise DataError(
            f'the masks have the labels 0 to {last}, and there are {size} names: add the missing name to the file of '
            f'--classes, or say which label has no class with --ignore {last} or --ignore 0'
        )
    wrong = [value for value in known if value >= size]
    raise DataError(
        f'the masks have the labels {", ".join(map(str, wrong[:5]))}{" ..." if len(wrong) > 5 else ""}, and the '
        f'{size} names are for 0 to {size - 1}: add names to the file of --classes, or leave labels out with --ignore'
    )
