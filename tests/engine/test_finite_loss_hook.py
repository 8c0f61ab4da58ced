"""A loss that is no number ends the training. The error says where, and what is left."""

import pytest
import tiny_runs
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from mmrev.cli import train
from mmrev.engine import read_checkpoint
from mmrev.engine.hooks.finite_loss_hook import image_names
from mmrev.hosts import host_problem


@HOOKS.register_module()
class BreakWeights(Hook):
    """Puts a value into the first weight of the model before an iteration, or after it."""

    def __init__(self, iteration, value, late=False):
        self.iteration, self.value, self.late = iteration, float(value), late

    def before_train_iter(self, runner, *_, **__):
        self._break(runner, late=False)

    def after_train_iter(self, runner, *_, **__):
        self._break(runner, late=True)

    def _break(self, runner, late):
        if runner.iter == self.iteration and late is self.late:
            next(runner.model.parameters()).data.fill_(self.value)


def stopped(cfg, folder, capsys, *argv) -> str:
    config = tiny_runs.save(cfg, folder / 'c.py')
    assert tiny_runs.call(train.main, config, '--work-dir', folder / 'w', *argv) == 1
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize('value', ['nan', 'inf'])
def test_it_names_the_iteration_the_images_and_the_last_good_checkpoint(value, tmp_path, capsys):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.train_cfg.max_iters = 6
    cfg.default_hooks.checkpoint.update(interval=1, max_keep_ckpts=4)
    # the weights are broken after the second step, and the checkpoint that follows has them
    cfg.custom_hooks.append(dict(type='BreakWeights', iteration=1, value=value, late=True))
    line = stopped(cfg, tmp_path, capsys)
    assert line.startswith('mmrev: error: iteration 3: the loss is nan (decode.scale_1.combined.loss_ce, decode.')
    for part in (' and 6 more), for ', '/images/train/', 'Look at these images', 'learning rate 0.0099'):
        assert part in line, part
    assert line.count('.png') == 2
    assert not read_checkpoint(tmp_path / 'w/iter_2.pth')['state_dict']['backbone.conv1.weight'].isfinite().all()
    good = tmp_path / 'w/iter_1.pth'
    assert line.endswith(
        f'The last good checkpoint is {good}: start from it with --cfg-options load_from={good} and a lower '
        'optim_wrapper.optimizer.lr'
    )
    assert not (tmp_path / 'w/iter_3.pth').exists()


def test_no_checkpoint_is_good(tmp_path, capsys):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.custom_hooks.append(dict(type='BreakWeights', iteration=0, value='nan'))
    assert stopped(cfg, tmp_path, capsys).endswith('No good checkpoint was saved yet')


def test_a_learning_rate_that_is_too_high_is_said(tmp_path, capsys):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.train_cfg.max_iters = 200
    cfg.optim_wrapper.optimizer.update(lr=1e6)
    cfg.default_hooks.checkpoint.interval = 1000
    line = stopped(cfg, tmp_path, capsys)
    assert 'the loss is nan (' in line or 'the loss is inf (' in line
    assert 'The loss had risen from ' in line and ': the learning rate 9.98e+05 is too high.' in line


def test_a_loss_that_rises_and_stays_finite_is_said_once(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.train_cfg.max_iters = 60
    cfg.custom_hooks.append(dict(type='GrowLosses'))
    config = tiny_runs.save(cfg, tmp_path / 'c.py')
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'w') == 0
    log = tiny_runs.logged(tmp_path / 'w')
    assert log.count('the training diverges: the loss rose from') == 1
    assert 'The learning rate 0.00' in log


@HOOKS.register_module()
class GrowLosses(Hook):
    """Adds to the logged loss after the thirtieth iteration."""

    priority = 'HIGH'

    def after_train_iter(self, runner, *_, **__):
        history = runner.message_hub.log_scalars['train/loss']
        if runner.iter >= 30:
            history._log_history[-1] *= 100


@pytest.mark.parametrize(
    'make',
    [
        tiny_runs.classification,
        pytest.param(
            tiny_runs.detection,
            marks=pytest.mark.skipif(host_problem('mmdet', ops=True) is not None, reason='mmdet cannot be used here'),
        ),
    ],
)
def test_other_hosts_name_their_images(make, tmp_path, capsys):
    cfg = make(tmp_path / 'data')
    cfg.custom_hooks.append(dict(type='BreakWeights', iteration=1, value='nan'))
    line = stopped(cfg, tmp_path, capsys)
    assert 'iteration 2: the loss is nan (' in line and line.count('.png') + line.count('.jpg') == 2


def test_names_are_found_in_nested_batches():
    batch = dict(sup=dict(data_samples=[dict(img_path='a')]), other=[torch.zeros(1), dict(img_path='b'), 'text'])
    assert list(image_names(batch)) == ['a', 'b']
