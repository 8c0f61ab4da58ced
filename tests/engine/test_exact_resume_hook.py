"""Trainings that are killed at several points and resumed end with the weights of one that was not, bit by bit."""

import random

import numpy as np
import pytest
import tiny_runs
import torch
from mmcv.transforms import BaseTransform
from mmengine.hooks import Hook
from mmengine.registry import HOOKS, TRANSFORMS

from mmrev.cli import train
from mmrev.engine import read_checkpoint


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
    cfg.train_cfg.update(max_iters=9, val_interval=2)
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
