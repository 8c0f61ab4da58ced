"""The images and lists of PASCAL VOC 2010, on which PASCAL-Context and PASCAL-Part rest."""

from collections.abc import Collection
from pathlib import Path

from ..archives import members
from ..data_set import Source
from ..output import Output

VOC2010 = Source(
    'voc', 'VOCtrainval_03-May-2010.tar', 'http://host.robots.ox.ac.uk/pascal/VOC/voc2010/VOCtrainval_03-May-2010.tar'
)
FOLDER = 'VOCdevkit/VOC2010'
MAIN = 'ImageSets/Main'


def put_voc2010(archive: Path, output: Output) -> None:
    """Copies the images, and the lists of the classification, which name all annotated images.

    Args:
        archive: The path of the archive.
        output: The folder ``VOC2010``.
    """
    for member in members(archive):
        name = member.name.removeprefix('./').removeprefix(f'{FOLDER}/')
        wanted = name.startswith('JPEGImages/') or name in (f'{MAIN}/train.txt', f'{MAIN}/val.txt')
        if wanted and output.lacks(name):
            output.put(name, member.read())


def put_lists(output: Output, folder: str, names: Collection[str]) -> None:
    """Writes the lists of training and validation images that have a mask.

    Args:
        output: The folder ``VOC2010``.
        folder: The folder of the lists in it.
        names: The images that have a mask.
    """
    for split in ('train', 'val'):
        listed = output.read_list(f'{MAIN}/{split}.txt')
        output.put_list(f'{folder}/{split}.txt', [name for name in listed if name in names])


def count_lists(output: Output, folder: str) -> dict[str, int]:
    """Counts the names in the lists."""
    return {f'{split} images': len(output.read_list(f'{folder}/{split}.txt')) for split in ('train', 'val')}
