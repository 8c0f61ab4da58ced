"""ImageNet-1K (ILSVRC 2012): 1,281,167 training images and 50,000 of the validation, in folders of classes.

Facts, as torchvision's ``imagenet.py`` reads them: the training archive is a tar of one tar a class. In the devkit,
``synsets`` of ``data/meta.mat`` has the id, the WordNet id, and as its fifth field the number of children. This is 0
for the 1,000 classes. ``data/ILSVRC2012_validation_ground_truth.txt`` has the id of each
validation image, in their order.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from mmrev.errors import DataError

from ..archives import as_damaged, inner_tar, members, read_mat
from ..data_set import DataSet, Source
from ..output import Output

TRUTH = 'ILSVRC2012_validation_ground_truth.txt'


def _prepare(archives: Mapping[str, Path], output: Output) -> None:
    """Fills the folder."""
    classes = _validation_classes(archives['devkit'])
    for member in members(archives['val']):
        number = re.fullmatch(r'ILSVRC2012_val_(\d{8})\.JPEG', Path(member.name).name)
        if not number or not 1 <= int(number[1]) <= len(classes):
            raise DataError(f'{archives["val"]} holds {member.name}: expected ILSVRC2012_val_00000001.JPEG and so on')
        name = f'val/{classes[int(number[1]) - 1]}/{Path(member.name).name}'
        if output.lacks(name):
            output.put(name, member.read())
    for archive in members(archives['train']):
        for member in inner_tar(archive) if archive.name.endswith('.tar') else ():
            name = f'train/{Path(archive.name).stem}/{Path(member.name).name}'
            if output.lacks(name):
                output.put(name, member.read())


def _validation_classes(devkit: Path) -> list[str]:
    """Returns the WordNet id of each validation image, in their order.

    Raises:
        DataError: The devkit is incomplete.
    """
    files = {Path(member.name).name: member.read() for member in members(devkit) if '/data/' in member.name}
    if not {'meta.mat', TRUTH} <= files.keys():
        raise DataError(f'{devkit} has no data/meta.mat or no data/{TRUTH}: download the devkit of tasks 1 and 2')
    meta = read_mat(files['meta.mat'], 'meta.mat', squeeze_me=True)
    with as_damaged(devkit):
        names = {int(row[0]): str(row[1]) for row in meta['synsets'] if int(row[4]) == 0}
        return [names[int(line)] for line in files[TRUTH].split()]


def _counts(output: Output) -> dict[str, int]:
    """Counts the images and the classes."""
    found = {f'{split} images': output.count(f'{split}/*/*.JPEG') for split in ('train', 'val')}
    return {**found, 'classes': output.count('train/*')}


PAGE = 'https://image-net.org/challenges/LSVRC/2012/2012-downloads.php'
IMAGENET = DataSet(
    'ImageNet-1K',
    'imagenet',
    (
        Source('train', 'ILSVRC2012_img_train.tar', PAGE, register=True),
        Source('val', 'ILSVRC2012_img_val.tar', PAGE, register=True),
        Source('devkit', 'ILSVRC2012_devkit_t12.tar.gz', PAGE, register=True),
    ),
    _prepare,
    _counts,
    {'train images': 1281167, 'val images': 50000, 'classes': 1000},
    'ra_net/ra_resnet50_in1k',
)
