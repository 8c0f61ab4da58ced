"""PASCAL VOC 2012 with the masks of SBD (Hariharan et al., 2011), 10,582 training images.

Facts: the names in the archives and the field ``GTcls.Segmentation`` are those that mmsegmentation's ``voc_aug.py`` and
torchvision's ``sbd.py`` read. The list aug.txt has what SBD adds: both of its lists, without VOC's train and val.
"""

from collections.abc import Mapping
from pathlib import Path

from ..archives import as_damaged, members, read_mat
from ..data_set import DataSet, Source
from ..output import Output

LISTS = 'ImageSets/Segmentation'


def _prepare(archives: Mapping[str, Path], output: Output) -> None:
    """Fills the folder."""
    for member in members(archives['voc']):
        name = member.name.removeprefix('./').removeprefix('VOCdevkit/VOC2012/')
        if name.startswith(('JPEGImages/', 'SegmentationClass/', f'{LISTS}/')) and output.lacks(name):
            output.put(name, member.read())
    names: set[str] = set()
    for member in members(archives['sbd']):
        name = member.name.removeprefix('./').removeprefix('benchmark_RELEASE/dataset/')
        if name in ('train.txt', 'val.txt'):
            names |= {*member.read().decode().split()}
        elif name.startswith('cls/') and name.endswith('.mat'):
            mask = f'SegmentationClassAug/{Path(name).stem}.png'
            if output.lacks(mask):
                mat = read_mat(member.read(), member.name)
                with as_damaged(member.name):
                    labels = mat['GTcls']['Segmentation'][0, 0]
                output.put_mask(mask, labels)
    known = {*output.read_list(f'{LISTS}/train.txt'), *output.read_list(f'{LISTS}/val.txt')}
    output.put_list(f'{LISTS}/aug.txt', sorted(names - known))


def _counts(output: Output) -> dict[str, int]:
    """Counts the names in the lists."""
    return {f'{name} images': len(output.read_list(f'{LISTS}/{name}.txt')) for name in ('train', 'val', 'aug')}


VOC12AUG = DataSet(
    'PASCAL VOC 2012 with SBD',
    'VOCdevkit/VOC2012',
    (
        Source(
            'voc',
            'VOCtrainval_11-May-2012.tar',
            'http://host.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar',
        ),
        Source(
            'sbd',
            'benchmark.tgz',
            'https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/semantic_contours/benchmark.tgz',
        ),
    ),
    _prepare,
    _counts,
    {'train images': 1464, 'val images': 1449, 'aug images': 9118},
    'ran/ran_n_r101_voc12aug',
)
