from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_runs
from mmengine.structures import LabelData

from mmrev.cli import train
from mmrev.engine.hooks.label_check_hook import batch_labels
from mmrev.hosts import host_problem


def masks(cfg) -> list[Path]:
    return sorted(Path(cfg.train_dataloader.dataset.data_root, 'annotations/train').iterdir())


def log(cfg, folder, iterations=3) -> str:
    cfg.train_cfg.max_iters = iterations
    cfg.default_hooks.checkpoint.interval = 1000
    assert tiny_runs.call(train.main, tiny_runs.save(cfg, folder / 'c.py'), '--work-dir', folder / 'w') == 0
    return tiny_runs.logged(folder / 'w')


def test_labels_that_are_all_ignored(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    for path in masks(cfg):
        cv2.imwrite(str(path), np.full((48, 64), 255, np.uint8))
    cfg.model.decode_head.loss_decode = dict(type='CrossEntropyLoss', avg_non_ignore=True)
    text = log(cfg, tmp_path)
    assert text.count('all labels of the first 2 batches are ignored, so nothing is learned: check the label') == 1
    assert 'met no label' not in text


@pytest.mark.parametrize('workers', [0, 1])
def test_classes_that_never_occur(workers, tmp_path):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.train_dataloader.num_workers = workers
    for index, path in enumerate(masks(cfg)):
        cv2.imwrite(str(path), np.full((48, 64), [0, 3, 4, 255][index], np.uint8))
    text = log(cfg, tmp_path, iterations=6)
    names = [name for index, name in enumerate(classes()) if index not in (0, 3, 4)]
    warned = [line for line in text.splitlines() if 'met no label of' in line]
    assert len(warned) == 1
    assert (
        f'a pass over the training data met no label of 8 of 11 classes, which are not learned: {", ".join(names)}. '
        in (warned[0])
    )


def classes():
    from mmrev.datasets import CamVidDataset

    return CamVidDataset.METAINFO['classes']


def test_nothing_is_said_before_a_whole_pass(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    for path in masks(cfg):
        cv2.imwrite(str(path), np.zeros((48, 64), np.uint8))
    assert 'met no label' not in log(cfg, tmp_path, iterations=1)


def test_a_class_of_images_that_never_occurs(tmp_path):
    cfg = tiny_runs.classification(tmp_path / 'data')
    cfg.train_dataloader.dataset.metainfo = dict(classes=('cat', 'dog', 'emu'))
    cfg.model.head.num_classes = 3
    root = Path(cfg.train_dataloader.dataset.data_root)
    for split in ('train', 'val'):  # the folders must be as many as the classes
        for part in sorted(root.parent.glob(f'*{split}*')):
            if part.is_dir():
                (part / 'emu').mkdir(exist_ok=True)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        cfg[name].dataset.metainfo = cfg.train_dataloader.dataset.metainfo
    cfg.model.head.topk = (1,)
    text = log(cfg, tmp_path)
    assert 'met no label of 1 of 3 classes, which are not learned: emu. ' in text


@pytest.mark.skipif(host_problem('mmdet', ops=True) is not None, reason='mmdet cannot be used here')
def test_boxes_of_classes_that_never_occur(tmp_path):
    cfg = tiny_runs.detection(tmp_path / 'data')
    text = log(cfg, tmp_path)
    assert 'classes, which are not learned: ' in text and ' more. Check the label conversion' in text


def test_other_batches_are_left_alone():
    assert list(batch_labels([1, 2])) == [] and list(batch_labels(dict(data_samples=[LabelData()]))) == []
