"""The annotation file of each image, found by their names."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mmrev.errors import DataError
from mmrev.prediction.names import shown

# folders that hold the images or the annotations of a split: train/images/a.jpg belongs to train/labels/a.txt
CONTAINERS = {'images', 'image', 'imgs', 'img', 'jpegimages', 'labels', 'masks', 'mask', 'annotations', 'segmentation'}
Affixes = tuple[str, str]  # what names of a folder have before and after their common part


@dataclass(frozen=True)
class Pairs:
    """Images with their annotation files.

    Args:
        files: The annotation file of each image, by the image's name below its folder.
        img_suffix: The end of all images' names, if they have one.
        mask_suffix: The end of the annotation that takes the place of ``img_suffix``. None if the names differ in
            more than their ends.
        alone: Names of images without an annotation.
        left: Names of annotation files without an image.
    """

    files: Mapping[str, Path]
    img_suffix: str
    mask_suffix: str | None
    alone: Sequence[str]
    left: Sequence[str]


def pair(images: Iterable[str], annotations: Mapping[str, Path]) -> Pairs:
    """Pairs images and annotation files by their names: equal names, or names with other beginnings and ends.

    Args:
        images: Names below the folder of images.
        annotations: The files, by their names below their folder.

    Raises:
        DataError: No name of an image belongs to one of an annotation, or two belong to one.

    Example:
        >>> pairs = pair(['a.jpg', 'b.jpg'], {'a_mask.png': Path('a_mask.png'), 'b_mask.png': Path('b_mask.png')})
        >>> pairs.img_suffix, pairs.mask_suffix
        ('.jpg', '_mask.png')
    """
    images = list(images)
    best: dict[str, str] = {}
    affixes: tuple[Affixes, Affixes] = (('', ''), ('', ''))
    for candidate in _candidates(images, list(annotations)):
        matched = _match(images, annotations, *candidate)
        if len(matched) > len(best):
            best, affixes = matched, candidate
    if not best:  # the folders differ, so the file names alone decide
        best = _match(images, annotations, *affixes, flat=True)
    if not best:
        raise DataError(
            f'no annotation belongs to an image: expected equal names, such as {shown(_stem(images[0]))}.png for '
            f'{shown(images[0])}, found {shown(next(iter(annotations)))}'
        )
    used = set(best.values())
    suffixes = _suffixes(best, *affixes)
    return Pairs(
        files={name: annotations[mask] for name, mask in best.items()},
        img_suffix=suffixes[0] if suffixes else '',
        mask_suffix=suffixes[1] if suffixes else None,
        alone=[name for name in images if name not in best],
        left=[name for name in annotations if name not in used],
    )


def _candidates(images: Sequence[str], masks: Sequence[str]) -> Iterable[tuple[Affixes, Affixes]]:
    yield ('', ''), ('', '')
    stems, mask_stems = ([PurePosixPath(name).stem for name in names] for names in (images, masks))
    for rest in sorted({mask[len(stems[0]) :] for mask in mask_stems if mask.startswith(stems[0])}):
        yield ('', ''), ('', rest)
    ends = [_common_end(stems), _common_end(mask_stems)]
    yield ('', ends[0]), ('', ends[1])
    starts = [os.path.commonprefix(stems), os.path.commonprefix(mask_stems)]
    yield (starts[0], ''), (starts[1], '')
    yield (starts[0], ends[0]), (starts[1], ends[1])


def _match(
    images: Sequence[str], masks: Iterable[str], of_image: Affixes, of_mask: Affixes, flat: bool = False
) -> dict[str, str]:
    by_key: dict[str, str] = {}
    for mask in masks:
        if (key := _key(mask, of_mask, flat)) is not None and by_key.setdefault(key, mask) != mask:
            raise DataError(f'{shown(by_key[key])} and {shown(mask)} could belong to one image: take one of them out')
    found: dict[str, str] = {}
    images_by_mask: dict[str, str] = {}
    for image in images:
        key = _key(image, of_image, flat)
        if key is not None and key in by_key:
            found[image] = by_key[key]
            if images_by_mask.setdefault(by_key[key], image) != image:
                first = images_by_mask[by_key[key]]
                raise DataError(f'{shown(first)} and {shown(image)} have the same annotation: take one of them out')
    return found


def _key(name: str, affixes: Affixes, flat: bool) -> str | None:
    path = PurePosixPath(name)
    start, end = affixes
    if not (path.stem.startswith(start) and path.stem.endswith(end) and len(path.stem) >= len(start) + len(end)):
        return None
    middle = path.stem[len(start) : len(path.stem) - len(end)]
    folders = () if flat else path.parts[:-1]
    return '/'.join([*(part for part in folders if part.lower() not in CONTAINERS), middle])


def _suffixes(pairs: Mapping[str, str], of_image: Affixes, of_mask: Affixes) -> tuple[str, str] | None:
    """Returns the two ends with which a data set of mmsegmentation finds each mask, or None."""
    ends = {
        (of_image[1] + PurePosixPath(image).suffix, of_mask[1] + PurePosixPath(mask).suffix)
        for image, mask in pairs.items()
    }
    if len(ends) != 1:
        return None
    ((image_end, mask_end),) = ends
    fits = all(image.removesuffix(image_end) == mask.removesuffix(mask_end) for image, mask in pairs.items())
    return (image_end, mask_end) if fits else None


def _common_end(names: Iterable[str]) -> str:
    return os.path.commonprefix([name[::-1] for name in names])[::-1]


def _stem(name: str) -> str:
    return PurePosixPath(name).with_suffix('').as_posix()
