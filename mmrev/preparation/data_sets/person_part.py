"""PASCAL Person-Part (Chen et al., 2014; six parts as Chen et al., 2016), 1,716 and 1,817 images.

Facts: ``Annotations_Part/<name>.mat`` holds ``anno.objects(i).class, .mask, .parts(j).part_name, .mask``. The devkit's
mat2map.m reads it so: a later object covers an earlier one. The six parts merge the 24 parts of a person as HUMAN_PART
of the public multi-task loaders does (neck with torso, hand with lower arm, foot with lower leg).

Reading: The lists hold the images of VOC 2010's train and val with a labelled part of a person. We could not compare
them with the lists that Chen et al. used. The counts are compared with the printed ones.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mmrev.errors import DataError

from ..archives import as_damaged, members, read_mat
from ..data_set import DataSet, Source
from ..output import Output
from .voc2010 import FOLDER, VOC2010, count_lists, put_lists, put_voc2010

MASKS, LISTS = 'SegmentationPersonPart', 'ImageSets/PersonPart'
HEAD = ('head', 'hair', 'nose', 'mouth', 'lear', 'rear', 'leye', 'reye', 'lebrow', 'rebrow')
PARTS = (
    HEAD,
    ('torso', 'neck'),
    ('luarm', 'ruarm'),
    ('llarm', 'rlarm', 'lhand', 'rhand'),
    ('luleg', 'ruleg'),
    ('llleg', 'rlleg', 'lfoot', 'rfoot'),
)
LABELS = {name: label for label, names in enumerate(PARTS, 1) for name in names}


def _part_labels(anno: Any) -> np.ndarray:
    """Draws the parts of all persons: 0 for the background, 1 to 6 for the parts.

    Args:
        anno: The annotation of an image.

    Raises:
        DataError: A part of a person has an unknown name.
    """
    objects = np.atleast_1d(anno.objects)
    labels = np.zeros(objects[0].mask.shape, np.uint8)
    for thing in objects:
        labels[thing.mask.astype(bool)] = 0
        if getattr(thing, 'class') != 'person':
            continue
        for part in np.atleast_1d(thing.parts):
            if part.part_name not in LABELS:
                raise DataError(f'a person has the part {part.part_name!r}: expected one of {", ".join(LABELS)}')
            labels[part.mask.astype(bool)] = LABELS[part.part_name]
    return labels


def _prepare(archives: Mapping[str, Path], output: Output) -> None:
    """Fills the folder."""
    put_voc2010(archives['voc'], output)
    names = set()
    for member in members(archives['parts']):
        stem = Path(member.name).stem
        if not member.name.endswith('.mat') or 'Annotations_Part' not in member.name:
            continue
        mat = read_mat(member.read(), member.name, squeeze_me=True, struct_as_record=False)
        with as_damaged(member.name):
            labels = _part_labels(mat['anno'])
        if labels.any():
            names.add(stem)
            output.put_mask(f'{MASKS}/{stem}.png', labels)
    put_lists(output, LISTS, names)


PERSON_PART = DataSet(
    'PASCAL Person-Part',
    FOLDER,
    (
        VOC2010,
        Source(
            'parts',
            'trainval.tar.gz',
            'http://www.stat.ucla.edu/~xianjie.chen/pascal_part_dataset/trainval.tar.gz',
            holds='Annotations_Part/',
        ),
    ),
    _prepare,
    partial(count_lists, folder=LISTS),
    {'train images': 1716, 'val images': 1817},
    'ran/ran_n_r101_personpart',
)
