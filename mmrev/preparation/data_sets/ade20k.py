"""ADE20K of the scene parsing challenge 2016 (Zhou et al., 2017), 20,210 and 2,000 images.

Facts: the archive ``ADEChallengeData2016.zip`` has the layout that mmsegmentation's guide names. So it is only
unpacked.
"""

from collections.abc import Mapping
from pathlib import Path

from ..archives import members
from ..data_set import DataSet, Source
from ..output import Output


def _prepare(archives: Mapping[str, Path], output: Output) -> None:
    """Fills the folder."""
    for member in members(archives['all']):
        name = member.name.removeprefix('./').removeprefix('ADEChallengeData2016/')
        if name.startswith(('images/', 'annotations/')) and output.lacks(name):
            output.put(name, member.read())


def _counts(output: Output) -> dict[str, int]:
    """Counts images and masks."""
    kinds = {'images': 'images/{}/*.jpg', 'masks': 'annotations/{}/*.png'}
    return {
        f'{split} {kind}': output.count(pattern.format(split))
        for split in ('training', 'validation')
        for kind, pattern in kinds.items()
    }


ADE20K = DataSet(
    'ADE20K',
    'ade/ADEChallengeData2016',
    (
        Source(
            'all', 'ADEChallengeData2016.zip', 'http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip'
        ),
    ),
    _prepare,
    _counts,
    {'training images': 20210, 'training masks': 20210, 'validation images': 2000, 'validation masks': 2000},
    'ran/ran_n_r101_ade20k',
)
