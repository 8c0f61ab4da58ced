import json
from argparse import Namespace

import pytest
from mmengine.runner import IterBasedTrainLoop

from mmrev.cli import demo
from mmrev.cli.main import main

COLUMNS = {'aAcc', 'mAcc', 'mIoU', 'params', 'seconds'}


@pytest.fixture()
def iterations(monkeypatch):
    """The iterations that are trained, as they come."""
    seen, run_iter = [], IterBasedTrainLoop.run_iter

    def counted(loop, data):
        run_iter(loop, data)
        seen.append(loop.runner.iter)

    monkeypatch.setattr(IterBasedTrainLoop, 'run_iter', counted)
    return seen


def run(out):
    return main(['demo', '--out', str(out), '--iters', '2', '--images', '16'])


def test_demo_ends_with_table_and_pictures_and_can_be_stopped(tmp_path, capfd, iterations, monkeypatch):
    out = tmp_path / 'demo'
    with monkeypatch.context() as patch:
        patch.setattr(demo, 'draw', lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert run(out) == 130
    assert iterations == [1, 2, 1, 2] and not (out / 'table.json').exists()
    drawn = sorted((out / 'data').rglob('*.png'))
    assert len(drawn) == 2 * (16 + 1)

    assert run(out) == 0  # goes on: nothing is left to train
    assert len(iterations) == 4
    rows = json.loads((out / 'table.json').read_text())
    assert rows.keys() == {'DeepLabv2-LFOV', 'RAN-n'} and all(row.keys() == COLUMNS for row in rows.values())
    assert all(row['seconds'] > 0 for row in rows.values())
    assert rows['RAN-n']['params'] > rows['DeepLabv2-LFOV']['params']
    assert (out / 'comparison.png').stat().st_size > 10_000
    printed = capfd.readouterr().out
    assert all(name in printed for name in ('pixel accuracy', 'mean accuracy', 'mIoU', 'params', 'seconds', 'RAN-n'))

    assert run(out) == 0  # starts anew, on the same pictures
    assert len(iterations) == 8
    assert sorted((out / 'data').rglob('*.png')) == drawn


def test_only_a_stopped_demo_with_the_same_arguments_is_gone_on_with(tmp_path):
    checkpoint = tmp_path / 'work_dirs/ran_n_digit_scenes/iter_1.pth'

    def kept(**arguments):
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.touch()
        demo.start_or_go_on(Namespace(out=tmp_path, **dict(dict(iters=2, images=16, seed=0), **arguments)))
        return checkpoint.exists()

    assert not kept()
    assert kept()
    assert not kept(seed=1)
    assert not kept()
