"""COCO 2017 (Lin et al., 2014): 118,287 and 5,000 images.

Facts: the names of the archives and their members are those of the download page. They have the layout that
mmdetection's guide names, so they are only unpacked.
"""

from collections.abc import Mapping
from pathlib import Path

from ..archives import members
from ..data_set import DataSet, Source
from ..output import Output


def _prepare(archives: Mapping[str, Path], output: Output) -> None:
    """Fills the folder."""
    for path in archives.values():
        for member in members(path):
            name = member.name.removeprefix('./')
            wanted = name.startswith(('train2017/', 'val2017/', 'annotations/instances_'))
            if wanted and output.lacks(name):
                output.put(name, member.read())


def _counts(output: Output) -> dict[str, int]:
    """Counts images and annotations."""
    found = {f'{split} images': output.count(f'{split}2017/*.jpg') for split in ('train', 'val')}
    return {**found, 'files of boxes': output.count('annotations/instances_*2017.json')}


COCO = DataSet(
    'COCO 2017',
    'coco',
    (
        Source('train', 'train2017.zip', 'http://images.cocodataset.org/zips/train2017.zip'),
        Source('val', 'val2017.zip', 'http://images.cocodataset.org/zips/val2017.zip'),
        Source(
            'boxes',
            'annotations_trainval2017.zip',
            'http://images.cocodataset.org/annotations/annotations_trainval2017.zip',
            holds='annotations/',
        ),
    ),
    _prepare,
    _counts,
    {'train images': 118287, 'val images': 5000, 'files of boxes': 2},
    'ra_net/faster_rcnn_ra_r50_fpn_coco',
)
