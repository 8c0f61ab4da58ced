"""Masks and lists of names for mmsegmentation's BaseSegDataset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from .data_splits import find_splits
from .masks import Labels, Track, histogram
from .output import write_mask, write_text
from .request import Data
from .splits import Splits, split_of_folder


@dataclass(frozen=True)
class Part:
    """Where a split lies.

    Args:
        images: The folder of its images.
        masks: The folder of its masks.
        list_file: The list of its names; None for all of the folder.
        count: The number of its images.
    """

    images: Path
    masks: Path
    list_file: Path | None
    count: int


@dataclass(frozen=True)
class Written:
    """The part of the config about the data.

    Args:
        classes: The names of the classes.
        palette: Their colours.
        parts: The splits.
        suffixes: The ends of the names of images and masks.
        off_by_one: Whether ``reduce_zero_label`` is needed.
        classes_file: A JSON file with names and colours, where they would fill too many lines.
    """

    classes: Sequence[str]
    palette: Sequence[Sequence[int]]
    parts: Mapping[str, Part]
    suffixes: tuple[str, str]
    off_by_one: bool = False
    classes_file: Path | None = None


def write_segmentation(labels: Labels, data: Data, folder: Path, track: Track) -> Written:
    """Converts the masks that need it, and writes the lists of names.

    Args:
        labels: The masks.
        data: The data.
        folder: The folder to write into. It gets its name at the end.
        track: Shows the progress.
    """
    final, pairs = data.request.folder, data.source.pairs
    direct = labels.off_by_one is not None and pairs is not None and pairs.mask_suffix is not None
    if direct and pairs is not None:
        masks, suffixes = data.request.masks, (pairs.img_suffix, str(pairs.mask_suffix))
        counts = dict(labels.pixels or {})
        how = 'with reduce_zero_label=True' if labels.off_by_one else 'as they are'
    else:
        masks, suffixes = final / 'masks', _suffixes(data)
        counts = _convert(labels, data, folder / 'masks', suffixes, track)
        how = f'converted into {masks}'
    data.notes.append(f'masks: {labels.says}, {how}')
    splits = find_splits(data, counts)
    _note_classes(labels, counts, splits, data.notes)
    parts = _by_folders(splits, data, masks) if direct else None
    if parts is None:
        parts = {}
        for split, names in splits.items():
            write_text(folder / f'{split}.txt', '\n'.join(name.removesuffix(suffixes[0]) for name in names) + '\n')
            parts[split] = Part(data.request.images, masks, final / f'{split}.txt', len(names))
    return Written(labels.classes, labels.palette, parts, suffixes, direct and bool(labels.off_by_one))


def _suffixes(data: Data) -> tuple[str, str]:
    """Returns the ends of images and of new masks. Images of several kinds keep theirs in the names: a.jpg.png."""
    kinds = {PurePosixPath(name).suffix for name in data.images}
    return (kinds.pop() if len(kinds) == 1 else '', '.png')


def _convert(
    labels: Labels, data: Data, folder: Path, suffixes: tuple[str, str], track: Track
) -> dict[str, np.ndarray]:
    counts = {}
    for name in track(data.images, 'converting'):
        mask = labels.mask(name)
        write_mask(folder / (name.removesuffix(suffixes[0]) + suffixes[1]), mask, labels.palette)
        counts[name] = histogram(mask)
    return counts


def _by_folders(splits: Splits, data: Data, masks: Path) -> dict[str, Part] | None:
    """Returns the splits as folders, if these hold their images and masks and nothing else."""
    pairs = data.source.pairs
    if pairs is None or pairs.alone or pairs.left or not pairs.img_suffix:
        return None
    parts = {}
    for split, names in splits.items():
        first = PurePosixPath(names[0]).parts[0]
        if split_of_folder(first) != split or not all(PurePosixPath(name).parts[0] == first for name in names):
            return None
        parts[split] = Part(data.request.images / first, masks / first, None, len(names))
    return parts


def _note_classes(labels: Labels, counts: Mapping[str, np.ndarray], splits: Splits, notes: list[str]) -> None:
    size = len(labels.classes)
    in_split = {split: np.sum([counts[name] for name in names], 0)[:size] for split, names in splits.items()}
    total = np.sum(list(in_split.values()), 0)
    shares = ', '.join(
        f'{name} {part:.1%}' for name, part in zip(labels.classes, total / max(total.sum(), 1), strict=True)
    )
    notes.append(f'classes: {shares}')
    trained = in_split['train']
    note_absent([name for name, pixels in zip(labels.classes, trained, strict=True) if not pixels], notes)


def note_absent(names: Sequence[str], notes: list[str]) -> None:
    """Adds a note on classes that nothing can be learned about.

    Example:
        >>> notes = []
        >>> note_absent(['car'], notes)
        >>> notes
        ["note: nothing in the training is of the class 'car'"]
    """
    if len(names) == 1:
        notes.append(f'note: nothing in the training is of the class {names[0]!r}')
    elif names:
        notes.append(f'note: nothing in the training is of {len(names)} classes, such as {names[0]!r}')
