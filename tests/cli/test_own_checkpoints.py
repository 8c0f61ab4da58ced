"""A training's own checkpoints are tested and resumed, with all that the hosts' hooks and metrics put into them."""

import numpy as np
import pytest
import tiny_runs
import torch

from mmrev.cli import test, train
from mmrev.engine import read_checkpoint
from mmrev.hosts import HOSTS, host_problem


def segmentation(folder):
    cfg = tiny_runs.segmentation(folder)
    cfg.val_evaluator.iou_metrics = ['mIoU', 'mDice', 'mFscore']
    return cfg, 'mIoU', ['EMAHook']


def classification(folder):
    cfg = tiny_runs.classification(folder)
    cfg.val_evaluator = [
        dict(type='Accuracy', topk=(1,)),
        dict(type='SingleLabelMetric', average=None),
        dict(type='ConfusionMatrix', num_classes=2),
    ]
    return cfg, 'accuracy/top1', ['mmpretrain.EMAHook']


def detection(folder):
    cfg = tiny_runs.detection(folder)
    cfg.val_evaluator.classwise = True
    return cfg, 'coco/bbox_mAP', ['EMAHook']


def detection_skip():
    problem = host_problem('mmdet', ops=HOSTS['mmdet'].operators)
    return pytest.mark.skipif(problem is not None, reason=str(problem))


@pytest.mark.parametrize('make', [segmentation, classification, pytest.param(detection, marks=detection_skip())])
def test_the_best_and_the_last_checkpoint(make, tmp_path):
    cfg, score, hooks = make(tmp_path / 'data')
    cfg.train_cfg.val_interval = 1
    cfg.default_hooks.checkpoint.update(interval=1, save_best=score, rule='greater', max_keep_ckpts=2)
    cfg.custom_hooks += [*(dict(type=hook) for hook in hooks), dict(type='EarlyStoppingHook', monitor=score)]
    config = tiny_runs.save(cfg, tmp_path / 'c.py')
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'w') == 0

    (best,) = (tmp_path / 'w').glob('best_*.pth')
    last = tmp_path / 'w/iter_2.pth'
    assert 'ema_state_dict' in read_checkpoint(last)
    assert read_checkpoint(last)['message_hub']['runtime_info']['best_score'] >= 0
    for path in (best, last):
        assert tiny_runs.call(test.main, config, path, '--work-dir', tmp_path / 'test') == 0
    more = ['--work-dir', tmp_path / 'w', '--resume', '--cfg-options', 'train_cfg.max_iters=3']
    assert tiny_runs.call(train.main, config, *more) == 0
    assert 'resumed epoch: 0, iter: 2' in tiny_runs.logged(tmp_path / 'w')
    assert (tmp_path / 'w/iter_3.pth').is_file()


@pytest.mark.parametrize(
    'scheduler',
    [
        dict(type='MultiStepLR', milestones=[1, 1, 3]),
        dict(type='OneCycleLR', eta_max=0.1, total_steps=10),
        dict(type='CosineRestartLR', periods=[2, 2], restart_weights=[1, 0.5], eta_min=0),
        dict(type='LinearMomentum', start_factor=0.5),
    ],
    ids=lambda scheduler: scheduler['type'],
)
def test_the_schedulers_are_resumed(scheduler, tmp_path):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.param_scheduler = [dict(scheduler, by_epoch=False)]
    config = tiny_runs.save(cfg, tmp_path / 'c.py')
    argv = [config, '--work-dir', tmp_path / 'w']
    assert tiny_runs.call(train.main, *argv) == 0
    assert tiny_runs.call(train.main, *argv, '--resume', '--cfg-options', 'train_cfg.max_iters=3') == 0


def test_a_score_of_numpy_was_in_the_file(tmp_path):
    """The type that mmseg's metric gives mmengine's checkpoint hook."""
    torch.save({'message_hub': {'runtime_info': {'best_score': np.float32(3.5)}}}, tmp_path / 'c.pth')
    assert read_checkpoint(tmp_path / 'c.pth')['message_hub']['runtime_info']['best_score'] == 3.5
