"""Learning curves: what is read from work dirs, and what is drawn."""

import csv
import json

import pytest
import tiny_runs

from mmrev.cli import curves, train
from mmrev.errors import DataError
from mmrev.visualization.learning_curves import default_panels, summary_table
from mmrev.visualization.scalars import read_scalars, scalars_csv


def write(work_dir, start, *rows, rest=''):
    file = work_dir / start / 'vis_data/scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text('\n'.join(map(json.dumps, rows)) + '\n' + rest)


def step(number, loss, **more):
    return dict(lr=0.1, loss=loss, iter=number, step=number, **more)


def test_a_resumed_training_replaces_what_it_repeats(tmp_path):
    write(tmp_path, '20260101_000000', step(10, 3.0), step(20, 2.0), dict(mIoU=20.0, step=20), step(30, 9.0))
    write(tmp_path, '20260102_000000', step(30, 1.5), dict(mIoU=40.0, step=30))
    scalars = read_scalars(tmp_path)
    assert scalars.train['loss'] == [(10, 3.0), (20, 2.0), (30, 1.5)]
    assert scalars.metrics == {'mIoU': [(20, 20.0), (30, 40.0)]}


def test_a_new_training_in_the_same_folder_replaces_all(tmp_path):
    write(tmp_path, '20260101_000000', step(10, 3.0), dict(mIoU=20.0, step=10), step(20, 2.0))
    write(tmp_path, '20260102_000000', step(10, 4.0))
    scalars = read_scalars(tmp_path)
    assert scalars.train['loss'] == [(10, 4.0)] and scalars.metrics['mIoU'] == []


def test_a_test_in_the_work_dir_changes_nothing(tmp_path):
    write(tmp_path, '20260101_000000', step(10, 3.0), dict(mIoU=20.0, step=10))
    before = read_scalars(tmp_path)
    (tmp_path / '20260102_000000').mkdir()
    (tmp_path / '20260102_000000/20260102_000000.json').write_text('{"mIoU": 99.0}')
    assert read_scalars(tmp_path) == before


def test_epochs_become_iterations(tmp_path):
    rows = [step(5, 3.0, epoch=1), dict(top1=10.0, step=1), step(10, 2.0, epoch=2), dict(top1=30.0, step=2)]
    write(tmp_path, '20260101_000000', *rows)
    assert read_scalars(tmp_path).metrics['top1'] == [(5, 10.0), (10, 30.0)]


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    write(tmp_path, '20260101_000000', step(10, 3.0), rest='{"loss": 2.0, "ite')
    assert read_scalars(tmp_path).train['loss'] == [(10, 3.0)]


def test_a_folder_without_scalars_is_refused(tmp_path):
    with pytest.raises(DataError, match='has no scalars'):
        read_scalars(tmp_path)


def test_the_table_names_the_best_figure_and_not_the_last(tmp_path):
    write(tmp_path, '1', step(10, 3.0), dict(mIoU=50.0, step=10), step(20, 2.0), dict(mIoU=40.0, step=20))
    assert '2.0000     50.00 at 10' in summary_table([read_scalars(tmp_path, 'run')])


def test_values_of_the_machine_are_no_panels(tmp_path):
    write(tmp_path, '1', step(10, 3.0, time=1.0, memory=5), dict(mIoU=50.0, time=0.1, data_time=0.1, step=10))
    assert default_panels([read_scalars(tmp_path)]) == ['loss', 'mIoU']


def test_two_runs_are_compared(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / 'a', '1', step(10, 3.0), dict(mIoU=50.0, step=10))
    write(tmp_path / 'b', '1', step(10, 2.0), dict(mIoU=60.0, step=10))
    assert curves.main(['a', 'b', '--names', 'baseline', 'RAN $n', '--csv']) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in out[:3]] == ['run', 'baseline', 'RAN']
    assert (tmp_path / 'curves.png').read_bytes()[1:4] == b'PNG'
    assert list(csv.DictReader((tmp_path / 'curves_2.csv').open())) == [
        {'step': '10', 'lr': '0.1', 'loss': '2.0', 'mIoU': '60.0'}
    ]
    assert curves.main(['a']) == 1
    assert 'exists already' in tiny_runs.error_line(capsys)
    assert curves.main(['a', '--force']) == 0


@pytest.mark.parametrize(
    ('argv', 'message'),
    [
        (['a', '--names', 'x', 'y'], '--names has 2 names for 1 work dirs'),
        (['a', '--values', 'mIou'], "unknown value 'mIou': use one of 'lr', 'loss', 'mIoU'"),
        (['a', '--out', 'curves.pdf'], 'must end with .png'),
        (['missing'], 'missing has no scalars'),
    ],
)
def test_wrong_arguments_are_one_line(argv, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / 'a', '1', step(10, 3.0), dict(mIoU=50.0, step=10))
    assert curves.main(argv) == 1
    assert message in tiny_runs.error_line(capsys)
    assert not (tmp_path / 'curves.png').exists()


def test_a_training_ends_with_its_curves(tmp_path, capfd):
    pytest.importorskip('tensorboard')
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.train_cfg.val_interval = 1
    argv = [tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w', '--log', 'csv', 'tensorboard']
    assert tiny_runs.call(train.main, *argv) == 0
    assert f'curves: {tmp_path / "w/curves.png"}, {tmp_path / "w/scalars.csv"}' in capfd.readouterr().out
    rows = list(csv.DictReader((tmp_path / 'w/scalars.csv').open()))
    assert [row['step'] for row in rows] == ['1', '2'] and all(row['mIoU'] and row['loss'] for row in rows)
    assert list((tmp_path / 'w').glob('*/vis_data/events.out.tfevents*'))
    assert scalars_csv(read_scalars(tmp_path / 'w')) == (tmp_path / 'w/scalars.csv').read_text()


def test_tensorboard_that_is_missing_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(train, 'find_spec', lambda name: None)
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    argv = [tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w', '--log', 'tensorboard']
    assert tiny_runs.call(train.main, *argv) == 1
    assert "pip install 'mmrev[log]'" in tiny_runs.error_line(capsys)
    assert not (tmp_path / 'w').exists()
