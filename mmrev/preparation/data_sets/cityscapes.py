"""Cityscapes (Cordts et al., 2016): 2,975, 500 and 1,525 images, and 19,998 coarse masks.

Facts: the names of the archives and their members are those of the download page and of cityscapesscripts. Its
labels.py gives the training id of each label. mmsegmentation reads ``*_labelTrainIds.png``, which the archives do not
hold: they are made from ``*_labelIds.png``. Masks of the test images are empty, and left out.
"""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from ..archives import as_damaged, members
from ..data_set import DataSet, Source
from ..output import Output

# the labels of the 19 classes, in the order of their training ids; all others are ignored
LABELS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
TABLE = np.full(256, 255, np.uint8)
TABLE[list(LABELS)] = np.arange(len(LABELS))


def _prepare(archives: Mapping[str, Path], output: Output) -> None:
    """Fills the folder."""
    for path in archives.values():
        for member in members(path):
            name = member.name.removeprefix('./')
            if name.endswith('_leftImg8bit.png') and output.lacks(name):
                output.put(name, member.read())
            elif name.endswith('_labelIds.png') and '/test/' not in name:
                mask = name.replace('_labelIds.png', '_labelTrainIds.png')
                if output.lacks(mask):
                    with as_damaged(name):
                        labels = np.asarray(Image.open(io.BytesIO(member.read())))
                    output.put_mask(mask, TABLE[labels])


def _counts(output: Output) -> dict[str, int]:
    """Counts images and masks."""
    return {
        'train images': output.count('leftImg8bit/train/*/*_leftImg8bit.png'),
        'val images': output.count('leftImg8bit/val/*/*_leftImg8bit.png'),
        'test images': output.count('leftImg8bit/test/*/*_leftImg8bit.png'),
        'train masks': output.count('gtFine/train/*/*_labelTrainIds.png'),
        'val masks': output.count('gtFine/val/*/*_labelTrainIds.png'),
        'extra coarse masks': output.count('gtCoarse/train_extra/*/*_labelTrainIds.png'),
    }


PAGE = 'https://www.cityscapes-dataset.com/downloads/'
CITYSCAPES = DataSet(
    'Cityscapes',
    'cityscapes',
    (
        Source('images', 'leftImg8bit_trainvaltest.zip', PAGE, register=True),
        Source('fine', 'gtFine_trainvaltest.zip', PAGE, register=True),
        Source('extra', 'leftImg8bit_trainextra.zip', PAGE, register=True, optional=True),
        Source('coarse', 'gtCoarse.zip', PAGE, register=True, optional=True),
    ),
    _prepare,
    _counts,
    {
        'train images': 2975,
        'val images': 500,
        'test images': 1525,
        'train masks': 2975,
        'val masks': 500,
        'extra coarse masks': 19998,
    },
    'ranet/ranet_r101_cityscapes',
)
