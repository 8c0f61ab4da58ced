import cv2
import numpy as np
import pytest

from mmrev.datasets import digit_scenes
from mmrev.datasets.digit_scenes import DIGITS, PHOTOS, generate
from mmrev.errors import DataError
from mmrev.registry import DATASETS

SIZE = (64, 96)
SMALL = dict(num_train=3, num_val=2, size=SIZE)


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    return generate(tmp_path_factory.mktemp('data') / 'scenes', num_train=30, num_val=24, size=SIZE)


def files(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob('*') if path.is_file()}


def test_layout(scenes):
    expected = {
        f'{kind}/{split}/{index:05d}.png'
        for kind in ('images', 'annotations')
        for split, count in (('train', 30), ('val', 24))
        for index in range(count)
    }
    assert set(files(scenes)) == expected | {digit_scenes.MARKER}
    assert [path.name for path in scenes.parent.iterdir()] == ['scenes']


def test_an_image_depends_on_seed_split_and_index_alone(scenes, tmp_path):
    again, whole = files(generate(tmp_path / 'again', **SMALL)), files(scenes)
    again.pop(digit_scenes.MARKER)
    assert {name: whole[name] for name in again} == again
    assert len(set(whole.values())) == len(whole)
    other = files(generate(tmp_path / 'other', **SMALL, seed=1))
    assert not set(other.values()) & set(again.values())


@pytest.mark.parametrize('split', ['train', 'val'])
def test_masks_fit_their_images_and_hold_every_class(scenes, split):
    seen = np.zeros(256, int)
    for path in sorted((scenes / 'annotations' / split).iterdir()):
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        image = cv2.imread(str(scenes / 'images' / split / path.name), cv2.IMREAD_UNCHANGED)
        assert mask.shape == SIZE and image.shape == (*SIZE, 3) and mask.dtype == image.dtype == np.uint8
        seen += np.bincount(mask.ravel(), minlength=256)
    assert np.flatnonzero(seen).tolist() == list(range(11))
    assert 0.6 < seen[0] / seen.sum() < 0.95


def test_splits_share_no_photograph_and_no_writing_sample():
    photos = [{photo.tobytes() for photo in digit_scenes._load_photos(split)} for split in PHOTOS]
    digits = [{digit.tobytes() for digit in digit_scenes._load_digits(split)[0]} for split in DIGITS]
    assert [len(found) for found in photos] == [10, 5] and not photos[0] & photos[1]
    assert sum(map(len, digits)) == 1797 and not digits[0] & digits[1]


def test_a_mask_holds_its_digits_stroke():
    photo, digit = np.zeros((128, 128, 3), np.uint8), np.zeros((1, 8, 8))
    digit[0, 1:7, 3:5] = 1
    image, mask = digit_scenes.draw_scene(np.random.default_rng(0), [photo], digit, np.array([7]), (128, 128))
    assert set(np.unique(mask)) == {0, 8}
    assert image[mask == 8].mean() > image[mask == 0].mean() + 20


def test_the_same_parameters_draw_nothing_and_others_redraw(tmp_path):
    root = generate(tmp_path / 'scenes', **SMALL)
    times = {path: path.stat().st_mtime_ns for path in root.rglob('*')}
    assert generate(root, **SMALL) == root
    assert {path: path.stat().st_mtime_ns for path in root.rglob('*')} == times
    generate(root, **{**SMALL, 'num_train': 1})
    assert len(list((root / 'images/train').iterdir())) == 1
    assert list(tmp_path.iterdir()) == [root]


@pytest.mark.parametrize('error', [KeyboardInterrupt, OSError])
def test_an_interruption_leaves_what_was_there(tmp_path, monkeypatch, error):
    root = generate(tmp_path / 'old', **SMALL)
    before, scene = files(root), iter([digit_scenes.draw_scene] * 2)

    def draw(*args):
        try:
            return next(scene)(*args)
        except StopIteration:
            raise error from None

    monkeypatch.setattr(digit_scenes, 'draw_scene', draw)
    for path in (tmp_path / 'new', root):
        with pytest.raises(error):
            generate(path, **SMALL, seed=1)
    assert list(tmp_path.iterdir()) == [root] and files(root) == before


def test_a_folder_of_something_else_is_kept(tmp_path):
    (tmp_path / 'thesis.txt').write_text('mine')
    with pytest.raises(DataError, match='no Digit Scenes folder'):
        generate(tmp_path, **SMALL)
    assert (tmp_path / 'thesis.txt').read_text() == 'mine'


def test_refuses_an_empty_set(tmp_path):
    with pytest.raises(DataError, match='at least 1'):
        generate(tmp_path / 'scenes', num_train=0, num_val=1)


@pytest.mark.parametrize('package', ['sklearn', 'skimage'])
def test_says_what_to_install(tmp_path, monkeypatch, package):
    found = digit_scenes.find_spec
    monkeypatch.setattr(digit_scenes, 'find_spec', lambda name: None if name == package else found(name))
    with pytest.raises(DataError, match=rf"{package}.*pip install 'mmrev\[demo\]'"):
        generate(tmp_path / 'scenes', **SMALL)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(('split', 'count'), [('train', 30), ('val', 24)])
def test_dataset_reads_what_was_drawn(scenes, split, count):
    dataset = DATASETS.build(
        dict(
            type='mmrev.DigitScenesDataset',
            data_root=str(scenes),
            data_prefix=dict(img_path=f'images/{split}', seg_map_path=f'annotations/{split}'),
            pipeline=[dict(type='LoadImageFromFile'), dict(type='mmseg.LoadAnnotations')],
        )
    )
    assert len(dataset) == count and len(dataset.metainfo['classes']) == len(dataset.metainfo['palette']) == 11
    item, path = dataset[count - 1], f'{split}/{count - 1:05d}.png'
    assert item['img_path'].endswith(f'images/{path}')
    assert np.array_equal(item['gt_seg_map'], cv2.imread(str(scenes / 'annotations' / path), cv2.IMREAD_UNCHANGED))
