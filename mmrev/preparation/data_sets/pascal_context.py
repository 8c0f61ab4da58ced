"""PASCAL-Context (Mottaghi et al., 2014) with 59 classes and the background, 4,998 and 5,105 images.

Facts: ``trainval/<name>.mat`` holds ``LabelMap`` [H, W] with the ids of labels.txt (459 classes). The ids of the 59
classes are those of mmsegmentation's ``pascal_context.py``. Any other label is background. The authors' archive has no
lists. Its 10,103 images are VOC 2010's train and val images (ImageSets/Main): 4,998 and 5,105. This is the split of the
field. mmsegmentation reads its masks from ``trainval_merged.json`` of the Detail API, which we did not compare.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from mmrev.errors import DataError

from ..archives import as_damaged, members, read_mat
from ..data_set import DataSet, Source
from ..output import Output
from .voc2010 import FOLDER, VOC2010, count_lists, put_lists, put_voc2010

# fmt: off
IDS = sorted([2, 259, 260, 415, 324, 9, 258, 144, 18, 19, 22, 23, 397, 25, 284, 158, 159, 416, 33, 162, 420, 454, 295,
              296, 427, 44, 45, 46, 308, 59, 440, 445, 31, 232, 65, 354, 424, 68, 326, 72, 458, 34, 207, 80, 355, 85,
              347, 220, 349, 360, 98, 187, 104, 105, 366, 189, 368, 113, 115])
# fmt: on
MOST = 459
MASKS, LISTS = 'SegmentationClassContext', 'ImageSets/SegmentationContext'


def class_of(labels: np.ndarray) -> np.ndarray:
    """Turns ids of labels.txt into 0 (background) and 1 to 59, in the order of the ids, which is alphabetical.

    Example:
        >>> class_of(np.array([2, 9, 3, 458])).tolist()
        [1, 2, 0, 59]
    """
    table = np.zeros(MOST + 1, np.uint8)
    table[IDS] = np.arange(1, len(IDS) + 1)
    if labels.size and labels.max() > MOST:
        raise DataError(f'a label map holds {labels.max()}: the labels of PASCAL-Context end at {MOST}')
    return table[labels]


def _prepare(archives: Mapping[str, Path], output: Output) -> None:
    """Fills the folder."""
    put_voc2010(archives['voc'], output)
    names = set()
    for member in members(archives['context']):
        if not member.name.endswith('.mat'):
            continue
        names.add(Path(member.name).stem)
        mask = f'{MASKS}/{Path(member.name).stem}.png'
        if output.lacks(mask):
            mat = read_mat(member.read(), member.name)
            with as_damaged(member.name):
                labels = class_of(mat['LabelMap'])
            output.put_mask(mask, labels)
    put_lists(output, LISTS, names)


PASCAL_CONTEXT = DataSet(
    'PASCAL-Context',
    FOLDER,
    (
        VOC2010,
        Source(
            'context',
            'trainval.tar.gz',
            'https://cs.stanford.edu/~roozbeh/pascal-context/trainval.tar.gz',
            holds='trainval/',
        ),
    ),
    _prepare,
    partial(count_lists, folder=LISTS),
    {'train images': 4998, 'val images': 5105},
    'ran/ran_n_r101_pcontext',
)
