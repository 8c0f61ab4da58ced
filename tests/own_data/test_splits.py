"""The splits: the user's own, or one that is made."""

from pathlib import Path

import numpy as np
import own_images
import pytest
from mmengine.config import Config

from mmrev.errors import DataError
from mmrev.own_data import Request, new_config
from mmrev.own_data.splits import make

STEMS = [f'clip{index // 2}_{index}' for index in range(8)]


@pytest.fixture
def build(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(names, **options):
        own_images.write_images(Path('images'), names)
        own_images.write_masks(Path('masks'), names)
        made = new_config(Request(Path('images'), Path('masks'), Path('my.py'), **options))
        (says,) = [note for note in made.notes if note.startswith('splits: ')]
        return says, Config.fromfile(made.config)

    return call


def listed(split: str) -> list[str]:
    return Path(f'my_data/{split}.txt').read_text().splitlines()


def test_folders_are_used_as_they_are(build):
    names = [f'{split}/{stem}' for split, part in (('train', 4), ('val', 2), ('test', 2)) for stem in STEMS[:part]]
    says, cfg = build(names)
    assert says == 'splits: 4 train, 2 val, 2 test (the folders of the images)'
    assert not Path('my_data').exists()
    assert cfg.val_dataloader.dataset.data_prefix == dict(img_path='images/val', seg_map_path='masks/val')
    assert cfg.test_dataloader.dataset.data_prefix.img_path == 'images/test'
    assert not cfg.train_dataloader.dataset.get('ann_file')


def test_the_validation_is_taken_from_the_training_alone(build):
    says, _ = build([f'{split}/{stem}' for split in ('train', 'test') for stem in STEMS[:5]])
    assert says.startswith('splits: 4 train, 1 val, 5 test (the folders of the images; validation taken at random')
    assert {name.split('/')[0] for name in listed('val')} == {'train'}


def test_lists_beside_the_images(build, tmp_path):
    Path('train.txt').write_text('\n'.join(STEMS[:5]))
    Path('val.txt').write_text('\n'.join(f'{stem}.jpg' for stem in STEMS[5:]))
    says, _ = build(STEMS)
    assert says.startswith('splits: 5 train, 3 val (the lists in ')
    assert listed('train') == STEMS[:5] and listed('val') == STEMS[5:]


def test_a_group_stays_together(build):
    says, _ = build(STEMS, group_by='_', val_share=0.25)
    assert "grouped by the name up to the last '_'" in says
    groups = [{name.split('_')[0] for name in listed(split)} for split in ('train', 'val')]
    assert [len(group) for group in groups] == [3, 1] and not groups[0] & groups[1]


def test_the_same_seed_gives_the_same_split():
    names = [f'{index}.png' for index in range(40)]
    pixels = {name: np.ones(2) for name in names}
    assert make(names, pixels, seed=1) == make(names, pixels, seed=1) != make(names, pixels, seed=2)


def test_a_rare_class_is_in_both_parts():
    names = [f'{index}.png' for index in range(40)]
    pixels = {name: np.array([100, 5 if index in (3, 17) else 0]) for index, name in enumerate(names)}
    for seed in range(5):
        split = make(names, pixels, seed=seed)
        assert len(split['val']) in (7, 8, 9)
        assert [any(pixels[name][1] for name in split[part]) for part in ('train', 'val')] == [True, True]


def test_a_list_that_names_no_image(build):
    Path('train.txt').write_text('nobody\n')
    with pytest.raises(DataError, match='train.txt names nobody, which is not among the annotated images'):
        build(STEMS)


def test_an_image_in_two_lists(build):
    Path('train.txt').write_text('\n'.join(STEMS))
    Path('val.txt').write_text(STEMS[0])
    with pytest.raises(DataError, match='val.txt names clip0_0, as train.txt does'):
        build(STEMS)


def test_images_outside_of_the_splits_folders(build):
    with pytest.raises(
        DataError, match='1 images lie outside of the folders for train, val and test, such as clip0_0.jpg'
    ):
        build(['train/a', 'val/b', STEMS[0]])


@pytest.mark.parametrize(
    ('names', 'group', 'message'),
    [(STEMS[:1], '', 'there is only one image'), (STEMS[:2], '_', "only one group by '_'")],
)
def test_nothing_to_split(names, group, message, build):
    with pytest.raises(DataError, match=message):
        build(names, group_by=group)


def test_masks_that_lie_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [f'{split}/{stem}' for split in ('train', 'val', 'test') for stem in STEMS[:2]]
    images = own_images.write_images(tmp_path / 'a long name of a folder of my photographs' / 'images', names)
    own_images.write_masks(Path('masks'), names)
    made = new_config(Request(images, Path('masks'), Path('my.py'), method='scale_attention'))
    cfg = Config.fromfile('my.py')
    assert made.lines <= 30
    assert cfg.test_dataloader.dataset.data_prefix == dict(img_path=f'{images}/test', seg_map_path='masks/test')
