"""The images for training, validation and testing: those of the user's folders or lists, or a split made here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from mmrev.errors import ConfigError, DataError
from mmrev.prediction.names import shown

SPLITS = ('train', 'val', 'test')
FOLDERS = re.compile(r'(?:^|[_-])(train|val|test)(?:ing|idation|id)?(?:\d{4}|aug)?$')
TRIES = 200  # random splits, of which the one is taken whose validation is most like the whole
Splits = dict[str, list[str]]


def split_of_folder(name: str) -> str | None:
    """Returns the split that a folder is named after.

    Example:
        >>> [split_of_folder(name) for name in ('train2017', 'validation', 'valid', 'testing', 'trains')]
        ['train', 'val', 'val', 'test', None]
    """
    match = FOLDERS.search(name.lower())
    return match[1] if match else None


def from_folders(names: Iterable[str]) -> Splits | None:
    """Finds the splits that the images' folders are named after.

    Raises:
        DataError: Some images lie in such folders, and others do not.

    Example:
        >>> from_folders(['train/a.jpg', 'val/b.jpg'])
        {'train': ['train/a.jpg'], 'val': ['val/b.jpg']}
    """
    splits: dict[str | None, list[str]] = {}
    for name in names:
        found = [split for part in PurePosixPath(name).parts[:-1] if (split := split_of_folder(part))]
        splits.setdefault(found[0] if found else None, []).append(name)
    if 'train' not in splits:
        return None
    if None in splits:
        raise DataError(
            f'{len(splits[None])} images lie outside of the folders for train, val and test, such as '
            f'{shown(splits[None][0])}: move them, or give lists with --splits'
        )
    return {split: splits[split] for split in SPLITS if split in splits}


def from_lists(folder: Path, names: Sequence[str]) -> Splits | None:
    """Reads the lists ``train.txt``, ``val.txt`` and ``test.txt`` of a folder, with or without suffixes in the names.

    Returns:
        The splits, or None if there is no ``train.txt``.

    Raises:
        DataError: A list is empty, names an image that is not there, or one that another list names.
    """
    if not (folder / 'train.txt').is_file():
        return None
    by_key = {key: name for name in names for key in _keys(name)}
    splits: Splits = {}
    seen: dict[str, str] = {}
    for split in SPLITS:
        if not (path := folder / f'{split}.txt').is_file():
            continue
        for line in filter(None, map(str.strip, path.read_text(encoding='utf-8-sig').splitlines())):
            name = by_key.get(line) or by_key.get(PurePosixPath(line).name)
            if name is None:
                raise DataError(f'{shown(path)} names {shown(line)}, which is not among the annotated images')
            if name in seen:
                raise DataError(
                    f'{shown(path)} names {shown(line)}, as {seen[name]}.txt does: take it out of one of them'
                )
            seen[name] = split
            splits.setdefault(split, []).append(name)
        if split not in splits:
            raise DataError(f'{shown(path)} is empty: expected the name of an image on each line')
    return splits


def with_validation(splits: Splits, pixels: Mapping[str, np.ndarray], share: float, seed: int, group_by: str) -> Splits:
    """Takes the validation out of the training, where the user has none."""
    if 'val' in splits:
        return splits
    made = make(splits['train'], pixels, share, seed, group_by)
    return {**made, **{split: names for split, names in splits.items() if split != 'train'}}


def make(
    names: Sequence[str], pixels: Mapping[str, np.ndarray], share: float = 0.2, seed: int = 0, group_by: str = ''
) -> Splits:
    """Splits images at random, so that the classes have about the same shares in both parts.

    Args:
        names: The images.
        pixels: The number of pixels (or objects) of each class in each image.
        share: That of the validation.
        seed: The seed of the split. The same seed gives the same split.
        group_by: Images with the same name up to the last of these separators stay together; '' for none.

    Raises:
        DataError: There are fewer than two images or groups.
        ConfigError: The share is not between 0 and 1.

    Example:
        >>> frames = [f'clip{clip}_{frame}.png' for clip in range(2) for frame in range(3)]
        >>> make(frames, {name: np.ones(1) for name in frames}, group_by='_')['val']
        ['clip0_0.png', 'clip0_1.png', 'clip0_2.png']
    """
    if not 0 < share < 1:
        raise ConfigError(f'--val-share {share}: expected a share between 0 and 1, such as 0.2')
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(group_of(name, group_by), []).append(name)
    if len(groups) < 2:
        what = (
            f'one group by {group_by!r}: take another separator for --group-by' if group_by else 'one image: give more'
        )
        raise DataError(f'a split for validation needs two parts, and there is only {what}')
    totals = np.stack([sum((pixels[name] for name in group), np.zeros(1)) for group in groups.values()]).astype(float)
    chosen = _choose(totals, np.array([len(group) for group in groups.values()]), share, seed)
    parts = list(groups.values())
    val = sorted(name for index in chosen for name in parts[index])
    return {'train': sorted(set(names) - set(val)), 'val': val}


def group_of(name: str, separator: str) -> str:
    """Returns what images of one group share: their name up to the last separator.

    Example:
        >>> group_of('0001TP_006690.png', '_'), group_of('clips/7/a.png', '/'), group_of('a_b.png', '')
        ('0001TP', 'clips/7', 'a_b.png')
    """
    if not separator:
        return name
    return name.rpartition(separator)[0] or name


def _choose(totals: np.ndarray, sizes: np.ndarray, share: float, seed: int) -> list[int]:
    """Chooses the groups for validation: of some random choices, the one whose shares of classes differ least."""
    rng = np.random.default_rng(seed)
    whole = totals.sum(0)
    best, least = [0], np.inf
    for _ in range(TRIES):
        order = rng.permutation(len(sizes))
        count = int(np.argmin(abs(np.cumsum(sizes[order])[:-1] - share * sizes.sum()))) + 1
        part, images = totals[order[:count]].sum(0), sizes[order[:count]].sum()
        # each class counts the same, however rare it is; none may be missing in a part
        missing = ((part == 0) | (part == whole)) & (whole > 0)
        shares = abs(part / np.maximum(whole, 1) - share) * (whole > 0)
        difference = missing.sum() + shares.sum() + abs(images / sizes.sum() - share)
        if difference < least:
            best, least = order[:count].tolist(), difference
    return best


def _keys(name: str) -> list[str]:
    path = PurePosixPath(name)
    return [path.name, path.stem, name, path.with_suffix('').as_posix()]
