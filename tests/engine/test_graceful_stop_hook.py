import signal
from pathlib import Path

import pytest
import tiny_runs
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from mmrev.cli import train
from mmrev.engine import read_checkpoint
from mmrev.engine.hooks import graceful_stop_hook

HANDLERS = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.getsignal(signal.SIGTERM),
    signal.SIGUSR1: signal.getsignal(signal.SIGUSR1),
}


@pytest.fixture(autouse=True)
def _as_from_a_terminal():
    """A shell starts a background process with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@HOOKS.register_module()
class SignalAt(Hook):
    """Sends a signal to its own process in one iteration."""

    def __init__(self, iteration: int, number: int = signal.SIGINT) -> None:
        self.iteration, self.number = iteration, number

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if runner.iter == self.iteration:
            signal.raise_signal(self.number)


def test_a_resumed_training_ends_with_the_weights_of_an_uninterrupted_one(tmp_path, capsys):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.train_dataloader.num_workers = 1  # which Ctrl-C reaches too
    cfg.train_cfg.max_iters = 100_000
    config = tiny_runs.save(cfg, tmp_path / 'c.py')

    status, errors = tiny_runs.interrupt(
        tiny_runs.start('train', config, '--work-dir', tmp_path / 'stopped'), tmp_path / 'stopped', iterations=3
    )
    last = Path((tmp_path / 'stopped/last_checkpoint').read_text())
    done = int(last.stem.removeprefix('iter_'))
    assert status == 130
    assert errors.splitlines() == [f'mmrev: stopped after iteration {done}: --resume goes on from {last}']
    assert last.is_file() and done >= 3

    shorter = ['--cfg-options', f'train_cfg.max_iters={done + 3}']
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'stopped', '--resume', *shorter) == 0
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'whole', *shorter) == 0
    resumed, whole = (read_checkpoint(tmp_path / name / f'iter_{done + 3}.pth') for name in ('stopped', 'whole'))
    assert all(torch.equal(resumed['state_dict'][name], value) for name, value in whole['state_dict'].items())
    assert not any(
        torch.equal(read_checkpoint(last)['state_dict'][name], value)
        for name, value in whole['state_dict'].items()
        if name.endswith('conv.weight')
    )


@pytest.mark.parametrize('number', HANDLERS)
def test_a_signal_ends_the_training_after_the_iteration_it_came_in(number, tmp_path, capsys):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.custom_hooks.append(dict(type='SignalAt', iteration=0, number=int(number)))
    assert tiny_runs.call(train.main, tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w') == 130
    assert tiny_runs.error_line(capsys) == (
        f'mmrev: stopped after iteration 1: --resume goes on from {tmp_path / "w/iter_1.pth"}'
    )
    assert (tmp_path / 'w/last_checkpoint').read_text() == str(tmp_path / 'w/iter_1.pth')
    assert signal.getsignal(number) is HANDLERS[number]


@pytest.mark.parametrize(
    ('one_press', 'line', 'saved'),
    [(-1, 'mmrev: stopped', []), (1000, 'mmrev: stopped after iteration 1', ['iter_1.pth'])],
)
def test_a_second_signal_ends_it_at_once_unless_it_is_of_the_same_press(
    one_press, line, saved, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(graceful_stop_hook, 'ONE_PRESS', one_press)
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.custom_hooks += [dict(type='SignalAt', iteration=0)] * 2
    assert tiny_runs.call(train.main, tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w') == 130
    assert tiny_runs.error_line(capsys).startswith(line)
    assert [path.name for path in (tmp_path / 'w').glob('*.pth')] == saved
    assert signal.getsignal(signal.SIGINT) is HANDLERS[signal.SIGINT]


def test_a_failed_training_does_not_keep_the_handler_from_the_next(tmp_path, capsys, monkeypatch):
    config = tiny_runs.save(tiny_runs.segmentation(tmp_path / 'data'), tmp_path / 'c.py')
    with monkeypatch.context() as patch:
        patch.setattr(Runner, 'save_checkpoint', None)
        with pytest.raises(TypeError):
            tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'w')
    assert signal.getsignal(signal.SIGINT) is not HANDLERS[signal.SIGINT]
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'w') == 0
    assert signal.getsignal(signal.SIGINT) is HANDLERS[signal.SIGINT]


def by_epochs(folder):
    """Three epochs of two iterations."""
    cfg = tiny_runs.segmentation(folder)
    cfg.train_dataloader.sampler.type = 'DefaultSampler'
    cfg.train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=3)
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', interval=1)
    return cfg


@pytest.mark.parametrize('iteration', [0, 2, 3])
def test_a_training_by_epochs_goes_on_from_within_an_epoch(iteration, tmp_path, capsys):
    cfg = by_epochs(tmp_path / 'data')
    argv = [tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir']
    assert tiny_runs.call(train.main, *argv, tmp_path / 'whole') == 0

    cfg.custom_hooks.append(dict(type='SignalAt', iteration=iteration))
    stopped = tiny_runs.save(cfg, tmp_path / 'stopped.py')
    assert tiny_runs.call(train.main, stopped, '--work-dir', tmp_path / 'w') == 130
    file = tmp_path / f'w/iter_{iteration + 1}.pth'
    assert tiny_runs.error_line(capsys) == (
        f'mmrev: stopped after iteration {iteration + 1}: --resume goes on from {file}'
    )
    assert tiny_runs.call(train.main, *argv, tmp_path / 'w', '--resume') == 0
    whole, resumed = (read_checkpoint(tmp_path / name / 'epoch_3.pth') for name in ('whole', 'w'))
    assert resumed['meta']['iter'] == whole['meta']['iter'] == 6
    assert all(torch.equal(resumed['state_dict'][name], value) for name, value in whole['state_dict'].items())


@pytest.mark.parametrize(
    ('iteration', 'message', 'saved'),
    [
        (0, 'within the first epoch: there is no checkpoint yet, so the next training starts at the beginning', []),
        (2, 'within epoch 2: --resume goes on from {}/epoch_1.pth', ['epoch_1.pth']),
    ],
)
def test_without_exact_resuming_it_goes_on_from_the_last_whole_epoch(iteration, message, saved, tmp_path):
    cfg = by_epochs(tmp_path / 'data')
    cfg.work_dir = str(tmp_path / 'w')
    cfg.custom_hooks = [dict(type='SignalAt', iteration=iteration), dict(type='mmrev.GracefulStopHook')]
    with pytest.raises(KeyboardInterrupt) as stop:
        tiny_runs.call(lambda _: Runner.from_cfg(cfg).train())
    assert str(stop.value) == message.format(cfg.work_dir)
    assert [path.name for path in (tmp_path / 'w').glob('*.pth')] == saved
