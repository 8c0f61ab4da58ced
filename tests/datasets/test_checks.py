from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_runs
from mmengine.registry import DATASETS

from mmrev.cli import check_data as command
from mmrev.datasets.checks import Split, check_data, leaf_datasets
from mmrev.datasets.dataset_paths import require_paths
from mmrev.errors import ConfigError, DataError

ALL = ('train', 'val', 'test')


@pytest.fixture
def cfg(tmp_path):
    return tiny_runs.segmentation(tmp_path, length=6)


def write_masks(cfg, *masks: np.ndarray) -> None:
    folder = Path(cfg.train_dataloader.dataset.data_root, 'annotations/train')
    for path, mask in zip(sorted(folder.iterdir()), masks, strict=True):
        cv2.imwrite(str(path), mask)


def test_counts_roots_and_how_many_were_read(cfg):
    root = cfg.train_dataloader.dataset.data_root
    assert list(map(str, check_data(cfg))) == [
        f'{name}: 6 images of CamVidDataset in {root} (6 read and checked)' for name in ('train', 'val')
    ]
    assert [split.looked_at for split in check_data(cfg, ALL, samples=2)] == [2] * 3
    assert [split.looked_at for split in check_data(cfg, ALL, samples=None)] == [6] * 3


def test_the_last_of_many_is_only_seen_when_all_are_read(cfg):
    mask = sorted(Path(cfg.train_dataloader.dataset.data_root, 'annotations/train').iterdir())[4]
    cv2.imwrite(str(mask), np.full((48, 64), 12, np.uint8))
    check_data(cfg, samples=2)
    with pytest.raises(DataError, match=f'{mask}: label 12 in the mask'):
        check_data(cfg, samples=None)


def test_every_data_set_inside_wrappers_is_checked(cfg):
    leaf = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(
        type='RepeatDataset',
        times=5,
        dataset=dict(
            type='ConcatDataset', datasets=[leaf, dict(leaf, data_prefix=cfg.val_dataloader.dataset.data_prefix)]
        ),
    )
    assert [split.images for split in check_data(cfg, ('train',))] == [6, 6]
    cfg.train_dataloader.dataset.dataset.datasets[1].data_root = 'nowhere'
    with pytest.raises(DataError, match='nowhere is missing'):
        check_data(cfg, ('train',))


def test_leaf_datasets_gives_the_config_itself(cfg):
    wrapped = dict(type='RepeatDataset', dataset=cfg.train_dataloader.dataset)
    next(leaf_datasets(wrapped))['pipeline'] = []
    assert cfg.train_dataloader.dataset.pipeline == []


def test_the_share_of_every_class(cfg, tmp_path, capsys):
    half = np.full((48, 64), 3, np.uint8)
    half[:, :32] = 11  # unlabelled in CamVid
    write_masks(cfg, *[half] * 6)
    (split,) = check_data(cfg, ('train',), samples=None)
    assert split.pixels['road'] == split.pixels['ignored'] == 6 * 48 * 32
    assert sum(split.pixels.values()) == 6 * 48 * 64
    assert command.main([tiny_runs.save(cfg, tmp_path / 'c.py')]) == 0
    out = capsys.readouterr().out
    assert 'train: 6 images of CamVidDataset' in out and 'test: 6 images' in out
    assert 'pole 0.0%, road 50.0%, pavement 0.0%' in out and 'ignored 50.0%' in out
    assert Split('val', 'X', '.', 1, 1).histogram == ''


def test_labels_count_after_the_zero_label_was_taken_off(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path)
    cfg.train_dataloader.dataset.type = 'mmrev.NYUDv2Dataset'
    cfg.train_dataloader.dataset.img_suffix = '.png'
    cfg.model.decode_head.num_classes = 40
    zeros = np.zeros((48, 64), np.uint8)
    write_masks(cfg, zeros, zeros + 1, zeros + 40, zeros)
    (split,) = check_data(cfg, ('train',))
    assert {name: count for name, count in split.pixels.items() if count} == {
        'wall': 48 * 64,
        'other prop': 48 * 64,
        'ignored': 2 * 48 * 64,
    }
    write_masks(cfg, zeros, zeros, zeros, zeros + 41)
    with pytest.raises(DataError, match='label 40 in the mask, expected 0 to 39'):
        check_data(cfg, ('train',))


def test_classification(tmp_path):
    cfg = tiny_runs.classification(tmp_path)
    assert [split.images for split in check_data(cfg, ALL)] == [4, 4, 4]
    broken = next(Path(cfg.val_dataloader.dataset.data_root).rglob('*.jpg'))
    broken.write_bytes(b'')
    with pytest.raises(DataError, match=f'{broken} cannot be read'):
        check_data(cfg)
    for path in Path(cfg.train_dataloader.dataset.data_root).rglob('*.jpg'):
        path.unlink()
    with pytest.raises(DataError, match='Found 0 files'):
        check_data(cfg)
    cfg.test_dataloader.dataset.metainfo.classes = ('cat', 'dog', 'cow')
    with pytest.raises(DataError, match='number of subfolders'):
        check_data(cfg, ('test',))
    cfg.test_dataloader.dataset.metainfo.classes = ('cat', 'dog')
    cfg.model.head.num_classes = 1000
    with pytest.raises(ConfigError, match='has 2 classes and the head num_classes=1000: set num_classes=2'):
        check_data(cfg, ('test',))


@pytest.mark.parametrize('path', ['s3://bucket/CamVid', 'https://host/CamVid'])
def test_remote_roots_are_not_looked_for_here(path):
    require_paths(dict(type='X', data_root=path, data_prefix=dict(img_path='a')))


def test_a_data_set_that_fetches_itself_is_left_to_it(cfg):
    cfg.default_scope = 'mmpretrain'
    cfg.train_dataloader.dataset = dict(type='mmpretrain.CIFAR10', data_prefix='nowhere', pipeline=[])
    assert check_data(cfg, ('train',)) == []
    cfg.train_dataloader.dataset.download = False
    with pytest.raises(DataError, match='nowhere is missing'):
        check_data(cfg, ('train',))


def test_a_data_set_given_as_a_class(cfg):
    cfg.train_dataloader.dataset.type = DATASETS.get('mmrev.CamVidDataset')
    assert check_data(cfg, ('train',))[0].type == 'CamVidDataset'


def test_splits_that_the_config_does_not_have(cfg):
    cfg.val_dataloader = None
    assert [split.name for split in check_data(cfg, ALL)] == ['train', 'test']


def test_the_classes_of_the_head_inside_scale_attention_are_checked(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path)
    check_data(cfg, ('val',))
    cfg.model.decode_head = dict(type='mmrev.ScaleAttentionHead', head=dict(cfg.model.decode_head, num_classes=5))
    with pytest.raises(ConfigError, match='has 11 classes and the head num_classes=5: set num_classes=11'):
        check_data(cfg, ('val',))


def test_a_data_set_without_classes_is_named_before_its_metrics_fail(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path)
    cfg.val_dataloader.dataset.type = 'BaseSegDataset'
    cfg.val_dataloader.dataset.update(img_suffix='.png', seg_map_suffix='.png')
    with pytest.raises(ConfigError, match='the data set BaseSegDataset names no classes'):
        check_data(cfg, ('val',))


def train_masks(cfg, *values) -> None:
    write_masks(cfg, *[np.full((48, 64), value, np.uint8) for value in values])


def test_masks_that_start_at_1(cfg, tmp_path, capsys):
    train_masks(cfg, 1, 2, 3, 4, 5, 6)
    (split,) = check_data(cfg, ('train',), samples=None)
    assert split.note.startswith(
        "the class 'sky' (label 0) does not occur: if the masks start at 1, set reduce_zero_label"
    )
    assert command.main([tiny_runs.save(cfg, tmp_path / 'c.py')]) == 0
    assert f'  note: {split.note}' in capsys.readouterr().out
    train_masks(cfg, 0, 2, 3, 4, 5, 6)
    assert check_data(cfg, ('train',), samples=None)[0].note == ''


def test_a_label_one_too_high_in_a_mask_without_0(tmp_path):
    cfg = own_dataset(tmp_path)
    cfg.train_dataloader.dataset.metainfo = dict(classes=['a', 'b', 'c'])
    cfg.model.decode_head.num_classes = 3
    train_masks(cfg, 1, 2, 3, 1)
    with pytest.raises(DataError, match='label 3 in the mask, .*; if the masks start at 1, set reduce_zero_label=True'):
        check_data(cfg, ('train',), samples=None)


def own_dataset(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path)
    cfg.train_dataloader.dataset.update(type='BaseSegDataset', img_suffix='.png', seg_map_suffix='.png')
    cfg.train_dataloader.dataset.metainfo = dict(classes=[str(index) for index in range(11)])
    return cfg


def test_another_suffix_is_named(tmp_path):
    cfg = own_dataset(tmp_path)
    cfg.train_dataloader.dataset.img_suffix = '.jpg'
    with pytest.raises(DataError, match="4 images there end with .png: set img_suffix='.png'"):
        check_data(cfg, ('train',))
    root = Path(cfg.train_dataloader.dataset.data_root)
    (root / 'train.txt').write_text('\n'.join(path.stem for path in (root / 'images/train').iterdir()))
    cfg.train_dataloader.dataset.ann_file = 'train.txt'
    with pytest.raises(DataError, match=r"a .png of this name is there, so set img_suffix='.png'"):
        check_data(cfg, ('train',))
    cfg.train_dataloader.dataset.update(img_suffix='.png', seg_map_suffix='.tif')
    with pytest.raises(DataError, match=r"a .png of this name is there, so set seg_map_suffix='.png'"):
        check_data(cfg, ('train',))


def test_an_inherited_list_that_is_not_there(cfg):
    cfg.train_dataloader.dataset.ann_file = 'ImageSets/train.txt'
    with pytest.raises(DataError, match=r"train.txt is missing .* To take all images of the folder: set ann_file=''"):
        check_data(cfg, ('train',))


def test_a_data_set_without_a_root(tmp_path):
    cfg = own_dataset(tmp_path)
    dataset = cfg.train_dataloader.dataset
    root = dataset.pop('data_root')
    dataset.data_prefix = {key: f'{root}/{path}' for key, path in dataset.data_prefix.items()}
    assert check_data(cfg, ('train',))[0].root == f'{root}/images/train'
