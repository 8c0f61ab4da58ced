"""``mmrev reproduce``, most of it on a made-up paper whose trainings and tests run in this process."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import tiny_runs
from mmengine.runner import IterBasedTrainLoop
from tiny_paper import cells, lines

from mmrev.cli import reproduce_job
from mmrev.reproduction.runs import Run

PICTURE = b'\x89PNG'


def test_a_table_with_a_failing_row(paper, out, called, capsys):
    assert paper('tiny/1', '--seeds', '0', '1') == 1
    printed = capsys.readouterr()

    # the rows that share weights train once a seed, and the row that fails stops no other
    assert [command[0] for command in called] == ['train', 'test', 'test'] * 2
    assert printed.err.splitlines()[-1].startswith('mmrev: error: 2 failed, the first: broken, seed 0: CamVidDataset: ')
    assert 'nowhere is missing' in printed.err
    assert '4 of 4 trainings ended, with their tests, 2 of them failed or were left out' in printed.err

    found = lines(out)
    assert found.keys() == {(c, s, m) for c in ('base', 'crf') for s in '01' for m in ('aAcc', 'mIoU')}
    line = found['crf', '1', 'mIoU']
    checkpoint = out / 'base/seed_1/iter_2.pth'
    assert (line['printed'], line['weights_from'], line['budget'], line['tables']) == (
        '51.0',
        'base',
        'paper',
        'tiny/1 tiny/2',
    )
    assert line['checkpoint'] == str(checkpoint) and float(line['hours']) >= 0 and line['date'].endswith('+00:00')
    assert line['sha256'] == subprocess.check_output(['sha256sum', checkpoint], text=True).split()[0]
    assert re.search(r'torch \S+', line['versions']) and 'threads' in line['device']
    assert line['data'] == 'train: 4 images of CamVidDataset; test: 4 images of CamVidDataset'
    assert found['base', '0', 'aAcc']['printed'] == ''

    figures = [float(found['base', seed, 'mIoU']['measured']) for seed in '01']
    mean = sum(figures) / 2
    shown = [f'{mean:.2f}', f'{abs(figures[0] - figures[1]) / 2**0.5:.2f}', f'{mean - 50:+.2f}', '2']
    assert cells(printed.out, 'base') == [
        ['Base', 'base', 'aAcc', '-', *cells(printed.out, 'base')[0][4:]],
        ['Base', 'base', 'mIoU', '50.0', *shown],
    ]
    assert cells(printed.out, 'broken')[1] == ['Broken', 'broken', 'mIoU', '40.25', 'not run', '-', '-', '0']
    assert 'broken, seed 1: failed: CamVidDataset' in printed.out
    assert cells((out / 'tables/tiny_1.md').read_text(), 'base') == cells(printed.out, 'base')
    assert (out / 'tables/tiny_1.png').read_bytes().startswith(PICTURE)

    # the seeds differ, and a second call has nothing to do but the row that failed
    weights = {found['base', seed, 'mIoU']['sha256'] for seed in '01'}
    assert len(weights) == 2
    called.clear()
    assert paper('tiny/1', '--seeds', '0', '1') == 1 and called == []
    assert paper('base', 'crf', '--seeds', '0', '1') == 0 and 'nothing is missing' in capsys.readouterr().out

    # a further seed trains that seed alone; a lost figure is tested again without a training
    assert paper('crf', '--seeds', '5') == 0
    assert [command[0] for command in called] == ['train', 'test']
    text = (out / 'results.csv').read_text().splitlines(keepends=True)
    (out / 'results.csv').write_text(''.join(line for line in text if not line.startswith('crf,0,')))
    called.clear()
    assert paper('tiny/2', '--seeds', '0') == 0
    assert [command[0] for command in called] == ['test']


def test_an_interruption_within_a_training_loses_nothing(paper, out, called, capsys, monkeypatch):
    assert paper('base', '--seeds', '0', '--cfg-options', 'train_cfg.max_iters=4') == 0
    whole = lines(out)['base', '0', 'mIoU']
    shutil.move(out, out.parent / 'uninterrupted')

    run_iter = IterBasedTrainLoop.run_iter

    def stop_at_2(loop, data):
        if loop.runner.iter == 1:
            os.kill(os.getpid(), signal.SIGINT)
        run_iter(loop, data)

    with monkeypatch.context() as patch:
        patch.setattr(IterBasedTrainLoop, 'run_iter', stop_at_2)
        assert paper('base', '--seeds', '0', '--cfg-options', 'train_cfg.max_iters=4') == 130
    printed = capsys.readouterr()
    assert 'base, seed 0: stopped: train' in printed.out and 'the same command goes on' in printed.err
    assert not (out / 'results.csv').exists()

    assert paper('base', '--seeds', '0', '--cfg-options', 'train_cfg.max_iters=4') == 0
    assert 'the training goes on exactly as an uninterrupted one' in tiny_runs.logged(out / 'base/seed_0')
    assert lines(out)['base', '0', 'mIoU']['measured'] == whole['measured']
    assert lines(out)['base', '0', 'mIoU']['options'] == 'train_cfg.max_iters=4'


def test_a_row_that_another_process_works_on_is_left_to_it(paper, out, called, capsys):
    with Run(out / 'base/seed_0').lock():
        assert paper('base', '--seeds', '0', '1') == 1
    printed = capsys.readouterr()
    assert 'base, seed 0: left out: another process works in' in printed.err
    assert '2 of 2 trainings ended, with their tests, 1 of them failed or were left out' in printed.err
    assert 'not everything is done, 1 left to others: base, seed 0' in printed.err.splitlines()[-1]
    assert lines(out).keys() == {('base', '1', metric) for metric in ('aAcc', 'mIoU')}
    assert cells(printed.out, 'base')[1][-1] == '1'


def test_a_test_that_fails_stops_no_other(paper, out, called, capsys, monkeypatch):
    def failing(name):
        if name == 'crf':
            raise ValueError('no such\nkernel')

    monkeypatch.setattr(reproduce_job.Job, '_test', wrapped(reproduce_job.Job._test, failing))
    assert paper('crf', 'base', '--seeds', '0') == 1
    assert 'base, seed 0: test of crf: ValueError: no such kernel' in capsys.readouterr().err
    assert {config for config, _, _ in lines(out)} == {'base'}


def wrapped(method, before):
    def call(self, name, *arguments):
        before(name)
        return method(self, name, *arguments)

    return call


def test_the_plan_and_the_state_are_shown_without_a_run(paper, out, called, capsys):
    assert paper('tiny', '--seeds', '0', '--dry-run') == 0
    assert capsys.readouterr().out.splitlines() == [
        'trainings: 3, budget paper: the config as it is',
        'broken, seed 0: not run',
        '  test broken',
        'base, seed 0: not run',
        '  test base',
        '  test crf',
        'extra, seed 0: not run',
        '  test extra',
    ]
    assert paper('tiny', '--seeds', '0', '--status') == 0
    printed = capsys.readouterr().out
    assert all(cells(printed, name) for name in ('broken', 'base', 'crf', 'extra'))
    assert called == [] and not (out / 'base').exists()


@pytest.mark.parametrize(
    ('argv', 'says'),
    [
        (['tiny/3'], "unknown table, paper or row 'tiny/3'"),
        (['base', '--made-up-data'], '--made-up-data goes with --budget tiny, not with paper'),
        (['base', '--gpus', '4', '--seeds', '0'], 'base: 4 GPUs cannot share 2 images a step: use --gpus 1, 2'),
        (['base', '--cfg-options', 'model.backbone.depth.x=5', '--seeds', '0'], 'cannot be read'),
    ],
)
def test_a_wrong_argument_is_one_line(paper, called, capsys, argv, says):
    assert paper(*argv) == 1
    assert says in capsys.readouterr().err.splitlines()[-1]
    assert called == []


def test_figures_of_other_options_are_not_mixed(paper, out, called, capsys):
    assert paper('extra', '--seeds', '0') == 0
    assert paper('extra', '--seeds', '1', '--cfg-options', 'train_cfg.max_iters=1') == 1
    assert 'holds figures with other --cfg-options (none): choose another --out' in capsys.readouterr().err


@pytest.mark.slow  # four processes
def test_a_killed_command_leaves_its_training_which_keeps_the_row(tmp_path):
    """In real processes, with kill -9, at the size that needs no data."""
    argv = ['reproduce', 'ran_n_r18_camvid', '--budget', 'tiny', '--made-up-data', '--seeds', '0', '--out', tmp_path]
    folder = tmp_path / 'made_up_data/ran_n_r18_camvid/seed_0'
    process = tiny_runs.start(*argv)
    try:
        wait_for(lambda: (folder / 'progress.json').exists() or Run(folder).trained(), process)
    finally:
        process.kill()
        process.communicate()
    wait_for(lambda: not Run(folder).is_locked())
    done = subprocess.run(
        [sys.executable, '-m', 'mmrev', *map(str, argv)], env=tiny_runs.ENVIRONMENT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert '1 of 1 trainings ended, with their tests' in done.stderr
    (line,) = lines(tmp_path / 'made_up_data').values()
    assert line['budget'] == 'tiny, made-up data' and 0 <= float(line['measured']) <= 100
    assert json.loads((folder / 'trained.json').read_text())['checkpoint'] == 'iter_2.pth'


def wait_for(happened, process=None, patience=120):
    deadline = time.monotonic() + patience
    while not happened():
        assert process is None or process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
