"""Trainings that are killed at several points and resumed end with the weights of one that was not, bit by bit."""

import random
from pathlib import Path
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
import tiny_runs
import torch
from mmcv.transforms import BaseTransform
from mmengine.hooks import Hook
from mmengine.registry import HOOKS, TRANSFORMS
from mmengine.runner import BaseLoop
from torch import nn
from torch.utils.data import DataLoader

from mmrev.cli import train
from mmrev.engine import ExactResumeHook, read_checkpoint
from mmrev.hosts import host_problem


class KilledError(Exception):
    pass


@TRANSFORMS.register_module()
class AllGenerators(BaseTransform):
    """Noise from the random generators of Python, NumPy and torch."""

    def transform(self, results):
        noise = random.random() + np.random.rand() + torch.rand(()).item()
        results['img'] = np.clip(results['img'] + 40 * noise, 0, 255).astype(np.uint8)
        return results


@HOOKS.register_module()
class KillAt(Hook):
    """Ends the process's work in an iteration as ``kill -9`` does: no code of the training runs after it."""

    priority = 'LOWEST'

    def __init__(self, points=()):
        self.points = list(points)

    def before_train_iter(self, runner, *_, **__):
        if runner.iter in self.points:
            raise KilledError


@pytest.fixture(autouse=True)
def _same_rounding(monkeypatch):
    # oneDNN's convolutions differ in the last digit from one call to the next
    monkeypatch.setattr(torch.backends.mkldnn, 'enabled', False)


@pytest.fixture
def cfg(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path / 'data', length=6)
    cfg.train_dataloader.dataset.pipeline.insert(-1, dict(type='AllGenerators'))
    cfg.train_dataloader.dataset.pipeline.insert(-1, dict(type='RandomFlip', prob=0.5))
    cfg.val_dataloader.dataset.pipeline.insert(-1, dict(type='AllGenerators'))
    cfg.model.decode_head.dropout_ratio = 0.5
    return with_hooks(cfg)


def with_hooks(cfg):
    """Nine iterations with accumulation, averaged weights and a checkpoint after each."""
    cfg.train_cfg.update(max_iters=9, val_interval=4)
    cfg.optim_wrapper.accumulative_counts = 2
    cfg.default_hooks.checkpoint.update(interval=1, max_keep_ckpts=3)
    cfg.custom_hooks.append(dict(type='EMAHook'))
    return cfg


def by_epoch(cfg, interval):
    """Epochs of three iterations."""
    cfg.train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=3)
    cfg.train_dataloader.sampler.type = 'DefaultSampler'
    cfg.default_hooks.checkpoint.update(by_epoch=False, interval=interval)


def trained(cfg, folder, name, points=()):
    """The last checkpoint of a training that was killed at some points and resumed after each."""
    cfg = cfg.copy()
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type='KillAt')]
    argv = [tiny_runs.save(cfg, folder / f'{name}.py'), '--work-dir', folder / name, '--resume', '--cfg-options']
    for point in points:
        with pytest.raises(KilledError):
            tiny_runs.call(train.main, *argv, f'custom_hooks.{len(cfg.custom_hooks) - 1}.points=[{point}]')
    assert tiny_runs.call(train.main, *argv, f'custom_hooks.{len(cfg.custom_hooks) - 1}.points=[]') == 0
    return read_checkpoint((folder / name / 'last_checkpoint').read_text())


def assert_same(a, b):
    assert a['meta']['iter'] == b['meta']['iter'] == 9
    for key in ('state_dict', 'ema_state_dict'):
        assert a[key].keys() == b[key].keys() and len(a[key]) > 50
        different = [name for name in a[key] if not torch.equal(a[key][name], b[key][name])]
        assert not different, (key, len(different))


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('loop', ['iterations', 'iterations of finite data', 'epochs'])
def test_killed_three_times(loop, workers, cfg, tmp_path):
    cfg.train_dataloader.num_workers = workers
    cfg.train_dataloader.persistent_workers = workers > 0
    if loop == 'epochs':
        by_epoch(cfg, interval=1)
    elif loop == 'iterations of finite data':
        cfg.train_dataloader.sampler.type = 'DefaultSampler'
    whole = trained(cfg, tmp_path, 'whole')
    killed = trained(cfg, tmp_path, 'killed', points=(1, 4, 8))
    assert 'the training goes on exactly' in tiny_runs.logged(tmp_path / 'killed')
    assert_same(whole, killed)


def test_mixed_precision(cfg, tmp_path):
    cfg.optim_wrapper.type = 'mmrev.CPUAmpOptimWrapper'
    assert_same(trained(cfg, tmp_path, 'whole'), trained(cfg, tmp_path, 'killed', points=(3,)))


def test_a_classifier(tmp_path):
    """Its model draws random numbers to mix the images of a batch."""
    cfg = with_hooks(tiny_runs.classification(tmp_path / 'data'))
    cfg.train_dataloader.num_workers = 1  # without workers, loading a sample also seeds the model
    cfg.model.data_preprocessor = dict(num_classes=2)
    cfg.model.train_cfg = dict(augments=[dict(type='Mixup', alpha=0.8), dict(type='CutMix', alpha=1.0)])
    cfg.model.head.loss = dict(type='LabelSmoothLoss', label_smooth_val=0.1, mode='original')
    cfg.train_dataloader.dataset.pipeline.insert(1, dict(type='mmpretrain.RandomResizedCrop', scale=32))
    assert_same(trained(cfg, tmp_path, 'whole'), trained(cfg, tmp_path, 'killed', points=(3, 8)))


@pytest.mark.skipif(host_problem('mmdet', ops=True) is not None, reason='mmdet cannot be used here')
def test_a_detector(tmp_path):
    """It samples its boxes at random."""
    cfg = with_hooks(tiny_runs.detection(tmp_path / 'data'))
    cfg.train_dataloader.num_workers = 1
    cfg.train_dataloader.dataset.pipeline.insert(-1, dict(type='RandomFlip', prob=0.5))
    assert_same(trained(cfg, tmp_path, 'whole'), trained(cfg, tmp_path, 'killed', points=(3, 8)))


def resumed(cfg, folder, *options) -> str:
    """Trains two iterations, one more with options, and returns the log."""
    cfg.train_cfg.max_iters = 2
    argv = [tiny_runs.save(cfg, folder / 'c.py'), '--work-dir', folder / 'w']
    assert tiny_runs.call(train.main, *argv) == 0
    argv += ['--resume', '--cfg-options', 'train_cfg.max_iters=3', *options]
    assert tiny_runs.call(train.main, *argv) == 0
    return tiny_runs.logged(folder / 'w')


DIFFERS = 'the training goes on, but it will differ from an uninterrupted one: '


def test_another_batch_size_is_said(cfg, tmp_path):
    assert f'{DIFFERS}images in a batch: 3 now, 2 before' in resumed(cfg, tmp_path, 'train_dataloader.batch_size=3')


def test_early_stopping_is_said(cfg, tmp_path):
    cfg.custom_hooks.append(dict(type='EarlyStoppingHook', monitor='mIoU'))
    assert f'{DIFFERS}mmengine does not save all of the state of EarlyStoppingHook' in resumed(cfg, tmp_path)


def test_a_loop_of_its_own_is_said():
    class OtherLoop(BaseLoop):
        iter = epoch = 0

        def run(self):
            self.runner.call_hook('before_train')

    hook = ExactResumeHook()
    loader = DataLoader([1])
    runner = Mock(seed=0, _randomness_cfg={}, train_loop=OtherLoop(None, loader), train_dataloader=loader, hooks=[hook])
    runner.model = nn.Linear(1, 1)
    hook._checkpoint = dict(meta={})
    hook.before_train(runner)
    (said,) = runner.logger.warning.call_args.args
    assert said.startswith(DIFFERS) and 'it has a loop of its own, OtherLoop' in said
    assert not hook.resumes_within_epochs()


@pytest.mark.parametrize('change', ['another file', 'one file fewer', 'nothing'])
def test_changed_data_is_said(change, cfg, tmp_path):
    cfg.train_cfg.max_iters = 2
    argv = [tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w']
    assert tiny_runs.call(train.main, *argv) == 0
    images = sorted(Path(cfg.train_dataloader.dataset.data_root, 'images/train').iterdir())
    if change == 'another file':
        cv2.imwrite(str(images[2]), np.zeros((48, 64, 3), np.uint8))
    elif change == 'one file fewer':
        images[2].unlink()
    assert tiny_runs.call(train.main, *argv, '--resume', '--cfg-options', 'train_cfg.max_iters=3') == 0
    log = tiny_runs.logged(tmp_path / 'w')
    assert ('the files of the training data, or their order, have changed' in log) is (change != 'nothing')
    assert ('images in the training data: 5 now, 6 before' in log) is (change == 'one file fewer')
    assert ('the training goes on exactly' in log) is (change == 'nothing')


def test_a_checkpoint_of_another_training(cfg, tmp_path):
    """One that mmengine wrote without the hook."""
    cfg.train_cfg.max_iters = 2
    argv = [tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w']
    assert tiny_runs.call(train.main, *argv) == 0
    checkpoint = read_checkpoint(tmp_path / 'w/iter_2.pth')
    del checkpoint['meta']['exact_resume']
    torch.save(checkpoint, tmp_path / 'w/iter_2.pth')
    assert tiny_runs.call(train.main, *argv, '--resume', '--cfg-options', 'train_cfg.max_iters=3') == 0
    assert f'{DIFFERS}the checkpoint was written without mmrev.ExactResumeHook' in tiny_runs.logged(tmp_path / 'w')
