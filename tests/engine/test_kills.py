"""Trainings that are killed by ``kill -9`` and resumed end with the weights of one that was not, bit by bit."""

import os
import random
import signal
import time

import killed_runs
import pytest
import tiny_runs
import torch

from mmrev.engine import read_checkpoint

ITERATIONS = 12


@pytest.fixture
def cfg(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path / 'data', length=6)
    cfg.train_dataloader.dataset.pipeline.insert(-1, dict(type='RandomFlip', prob=0.5))
    cfg.train_dataloader.dataset.pipeline.insert(-1, dict(type='PhotoMetricDistortion'))
    cfg.train_dataloader.num_workers = 1
    cfg.model.decode_head.dropout_ratio = 0.5
    cfg.train_cfg.update(max_iters=ITERATIONS, val_interval=4)
    cfg.default_hooks.checkpoint.update(interval=1, max_keep_ckpts=2)
    cfg.custom_hooks += [dict(type='EMAHook'), dict(type='KillHook')]
    return cfg


def assert_same(folder, iterations):
    a, b = (read_checkpoint((folder / name / 'last_checkpoint').read_text()) for name in ('whole', 'killed'))
    assert a['meta']['iter'] == b['meta']['iter'] == iterations
    for key in ('state_dict', 'ema_state_dict'):
        assert a[key].keys() == b[key].keys() and len(a[key]) > 50
        assert all(torch.equal(a[key][name], b[key][name]) for name in a[key]), key


def test_a_kill_in_each_phase(cfg, tmp_path):
    points = zip((1, 3, 5, 6, 8), range(len(killed_runs.PHASES)), strict=True)
    config, last = tiny_runs.save(cfg, tmp_path / 'c.py'), len(cfg.custom_hooks) - 1
    argv = [config, '--resume', '--work-dir']
    assert killed_runs.run(*argv, tmp_path / 'whole', output=tmp_path / 'whole.txt') == {0}
    for iteration, phase in points:
        options = [f'custom_hooks.{last}.iteration={iteration}', f'custom_hooks.{last}.phase={phase}']
        status = killed_runs.run(
            *argv, tmp_path / 'killed', '--cfg-options', *options, output=tmp_path / f'{iteration}.txt'
        )
        assert status == {-signal.SIGKILL}, (tmp_path / f'{iteration}.txt').read_text()[-3000:]
    assert list((tmp_path / 'killed').glob('.*.part')) == []  # the next start took it away
    assert killed_runs.run(*argv, tmp_path / 'killed', output=tmp_path / 'end.txt') == {0}
    assert 'the training goes on exactly' in (tmp_path / 'end.txt').read_text()
    assert_same(tmp_path, ITERATIONS)


def test_two_processes_that_are_killed(cfg, tmp_path):
    cfg.optim_wrapper.accumulative_counts = 2
    cfg.default_hooks.checkpoint.interval = 2  # no checkpoint between two steps of the optimizer
    config, last = tiny_runs.save(cfg, tmp_path / 'c.py'), len(cfg.custom_hooks) - 1
    argv = [config, '--resume', '--work-dir']
    assert killed_runs.run(*argv, tmp_path / 'whole', output=tmp_path / 'whole.txt', ranks=2) == {0}
    options = ['--cfg-options', f'custom_hooks.{last}.iteration=5']
    status = killed_runs.run(*argv, tmp_path / 'killed', *options, output=tmp_path / 'killed.txt', ranks=2)
    assert status == {-signal.SIGKILL}, (tmp_path / 'killed.txt').read_text()[-3000:]
    assert killed_runs.run(*argv, tmp_path / 'killed', output=tmp_path / 'end.txt', ranks=2) == {0}
    assert 'the training goes on exactly' in (tmp_path / 'end.txt').read_text()
    assert_same(tmp_path, ITERATIONS)


@pytest.mark.slow
def test_twenty_kills_at_random_times(cfg, tmp_path):
    """Every second one comes as soon as a checkpoint begins to be written."""
    generator, iterations, cut = random.Random(0), 120, 0
    cfg.train_cfg.max_iters = iterations
    argv = [tiny_runs.save(cfg, tmp_path / 'c.py'), '--resume', '--work-dir']
    assert killed_runs.run(*argv, tmp_path / 'whole', output=tmp_path / 'whole.txt') == {0}
    for number in range(20):
        process = killed_runs.start(*argv, tmp_path / 'killed', output=tmp_path / f'{number}.txt')
        before, more = logged_iterations(tmp_path), generator.randrange(1, 10)
        while process.is_alive() and logged_iterations(tmp_path) < before + more:
            time.sleep(0.005)
        if number % 2:
            time.sleep(generator.uniform(0, 0.2))
        else:
            while process.is_alive() and not list((tmp_path / 'killed').glob('.*.part')):
                pass
        assert process.is_alive(), (tmp_path / f'{number}.txt').read_text()[-3000:]
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        cut += len(list((tmp_path / 'killed').glob('.*.part')))
        named = (tmp_path / 'killed/last_checkpoint').read_text()
        print(f'kill {number + 1}: {logged_iterations(tmp_path)} iterations logged in all, last checkpoint {named}')
    print(f'{cut} kills came while a checkpoint was written')
    assert killed_runs.run(*argv, tmp_path / 'killed', output=tmp_path / 'end.txt') == {0}
    assert_same(tmp_path, iterations)


def logged_iterations(folder) -> int:
    """The lines of the logs, in which an iteration that was killed and repeated stands twice."""
    return sum(path.read_text().count('"loss"') for path in (folder / 'killed').glob('*/vis_data/scalars.json'))
