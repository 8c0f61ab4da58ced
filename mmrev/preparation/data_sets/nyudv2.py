"""NYUDv2 (Silberman et al., 2012) with the 40 classes of Gupta et al. (2013), 795 and 654 images.

Facts: ``nyu_depth_v2_labeled.mat`` is HDF5 (MATLAB 7.3), so its axes are reversed: ``images`` [1449, 3, W, H] uint8,
``labels`` [1449, W, H] uint16, 0 for unlabelled and 1 to 894. ``mapClass`` [1, 894] of ``classMapping40.mat`` gives the
class, 1 to 40, of each label. ``splits.mat`` has ``trainNdxs`` and ``testNdxs``, counted from 1.
Public converters read these fields.

Deviation: The images become JPEG of quality 98 without subsampling, because the configs read JPEG.
"""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from mmrev.errors import DataError

from ..archives import as_damaged, read_mat
from ..data_set import DataSet, Source
from ..output import Output
from ..packages import require

CLASSES = 40


def _prepare(archives: Mapping[str, Path], output: Output) -> None:
    """Fills the folder."""
    table = _table(archives['mapping'])
    h5py = require('h5py')
    with as_damaged(archives['labelled']), h5py.File(archives['labelled'], 'r') as file:
        images, labels = file['images'], file['labels']
        number = len(images)
        for index in tqdm(range(number), desc=archives['labelled'].name, disable=None):
            name = f'{index + 1:04d}'
            if output.lacks(f'images/{name}.jpg'):
                output.put(f'images/{name}.jpg', _jpeg(images[index].transpose(2, 1, 0)))
            if output.lacks(f'annotations/{name}.png'):
                output.put_mask(f'annotations/{name}.png', table[labels[index].T])
    splits = read_mat(archives['splits'].read_bytes(), archives['splits'].name)
    with as_damaged(archives['splits']):
        chosen = {split: np.sort(splits[f'{split}Ndxs'].ravel()) for split in ('train', 'test')}
    for split, numbers in chosen.items():
        if numbers.min() < 1 or numbers.max() > number:
            raise DataError(f'{archives["splits"]} names the image {numbers.max()}, but there are {number}')
        output.put_list(f'{split}.txt', [f'{index:04d}' for index in numbers])


def _table(path: Path) -> np.ndarray:
    mat = read_mat(path.read_bytes(), path.name)
    with as_damaged(path):
        classes = mat['mapClass'].ravel()
    if classes.max() > CLASSES or classes.min() < 0:
        raise DataError(f'{path} maps to {classes.min()}..{classes.max()}: expected 1..{CLASSES}')
    return np.concatenate([[0], classes]).astype(np.uint8)


def _jpeg(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, 'JPEG', quality=98, subsampling=0)
    return file.getvalue()


def _counts(output: Output) -> dict[str, int]:
    """Counts the names in the lists."""
    return {f'{split} images': len(output.read_list(f'{split}.txt')) for split in ('train', 'test')}


NYU = 'http://horatio.cs.nyu.edu/mit/silberman'
NYUDV2 = DataSet(
    'NYUDv2',
    'NYUDv2',
    (
        Source('labelled', 'nyu_depth_v2_labeled.mat', f'{NYU}/nyu_depth_v2/nyu_depth_v2_labeled.mat'),
        Source('splits', 'splits.mat', f'{NYU}/indoor_seg_sup/splits.mat'),
        Source(
            'mapping',
            'classMapping40.mat',
            'https://github.com/ankurhanda/nyuv2-meta-data/raw/master/classMapping40.mat',
        ),
    ),
    _prepare,
    _counts,
    {'train images': 795, 'test images': 654},
    'ran/ran_n_r101_nyudv2',
)
