"""COCO-Stuff 10k (Caesar et al., 2018), version 1.1: 9,000 and 1,000 images.

Facts: the archive has ``images/*.jpg``, ``annotations/*.mat`` with the label map ``S``, and
``imageLists/{train,test}.txt``. The labels are 0 (unlabelled) and COCO's ids up to 182, 11 of which are not used.
mmsegmentation's ``coco_stuff10k.py`` closes the gaps, which gives 1 to 171.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np

from mmrev.errors import DataError

from ..archives import as_damaged, members, read_mat
from ..data_set import DataSet, Source
from ..output import Output

UNUSED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91)
USED = [label for label in range(183) if label not in UNUSED]
TABLE = np.full(256, 255, np.uint8)
TABLE[USED] = np.arange(len(USED))


def _prepare(archives: Mapping[str, Path], output: Output) -> None:
    """Fills the folder. The lists may come last in the archive, so it is read twice."""
    path = archives['all']
    split_of = {}
    for member in members(path):
        place = PurePosixPath(member.name)
        if place.parent.name == 'imageLists' and place.stem in ('train', 'test'):
            split_of.update(dict.fromkeys(member.read().decode().split(), f'{place.stem}2014'))
    if not split_of:
        raise DataError(f'{path} has no imageLists/train.txt: it is not the archive of version 1.1')
    for member in members(path):
        place = PurePosixPath(member.name)
        split = split_of.get(place.stem)
        if split and (place.parent.name, place.suffix) == ('images', '.jpg'):
            name = f'images/{split}/{place.name}'
            if output.lacks(name):
                output.put(name, member.read())
        elif split and (place.parent.name, place.suffix) == ('annotations', '.mat'):
            name = f'annotations/{split}/{place.stem}_labelTrainIds.png'
            if output.lacks(name):
                mat = read_mat(member.read(), member.name)
                with as_damaged(member.name):
                    labels = TABLE[mat['S']]
                output.put_mask(name, labels)


def _counts(output: Output) -> dict[str, int]:
    """Counts images and masks."""
    return {
        f'{split} {kind}': output.count(f'{kind if kind == "images" else "annotations"}/{split}2014/*')
        for split in ('train', 'test')
        for kind in ('images', 'masks')
    }


COCOSTUFF10K = DataSet(
    'COCO-Stuff 10k',
    'coco_stuff10k',
    (
        Source(
            'all',
            'cocostuff-10k-v1.1.zip',
            'http://calvin.inf.ed.ac.uk/wp-content/uploads/data/cocostuffdataset/cocostuff-10k-v1.1.zip',
        ),
    ),
    _prepare,
    _counts,
    {'train images': 9000, 'train masks': 9000, 'test images': 1000, 'test masks': 1000},
    'ranet/ranet_r101_cocostuff10k',
)
