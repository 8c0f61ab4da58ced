import json
from argparse import Namespace

import pytest
import torch
from mmengine.runner import IterBasedTrainLoop

from mmrev.cli import demo
from mmrev.cli.main import main
from mmrev.engine import read_checkpoint

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
    assert iterations == [1, 2] * 3 and not (out / 'table.json').exists()
    drawn = sorted((out / 'data').rglob('*.png'))
    assert len(drawn) == 2 * (16 + 1)

    assert run(out) == 0  # goes on: nothing is left to train
    assert len(iterations) == 6
    rows = json.loads((out / 'table.json').read_text())
    assert list(rows) == [demo.START, demo.CONTINUED, demo.RAN] and all(row.keys() == COLUMNS for row in rows.values())
    assert all(row['seconds'] > 0 for row in rows.values())
    assert rows[demo.RAN]['params'] > rows[demo.CONTINUED]['params'] == rows[demo.START]['params']
    assert all((out / f'{name}.png').stat().st_size > 10_000 for name in ('comparison', 'confusions'))
    printed = capfd.readouterr().out
    assert all(name in printed for name in ('pixel accuracy', 'mean accuracy', 'mIoU', 'params', 'seconds', 'RAN-n'))
    assert printed.splitlines()[-1] == demo.verdict(rows).splitlines()[-1]

    assert run(out) == 0  # starts anew, on the same pictures
    assert len(iterations) == 12
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


@pytest.mark.parametrize(
    ('gain', 'says'),
    [(2.0, 'RAN-n wins: +2.00'), (0.5, 'RAN-n does not win: +0.50'), (-3.0, 'RAN-n does not win: -3.00')],
)
def test_the_last_line_says_whether_ran_wins(gain, says):
    rows = {demo.CONTINUED: dict(mIoU=70.0), demo.RAN: dict(mIoU=70.0 + gain)}
    assert demo.verdict(rows).splitlines()[-1].startswith(says)


def test_ran_starts_with_the_labels_of_the_baseline(tmp_path):
    """``original + attention * original`` has the sign and the order of ``original``."""
    weight, bias = torch.randn(11, 4, 3, 3), torch.randn(11)
    torch.save({'decode_head.conv_seg.weight': weight, 'decode_head.conv_seg.bias': bias}, tmp_path / 'baseline.pth')
    demo.add_reverse_branch(str(tmp_path / 'baseline.pth'), tmp_path / 'start.pth')
    state = read_checkpoint(tmp_path / 'start.pth')['state_dict']
    assert torch.equal(state['decode_head.conv_org.weight'], weight)
    assert torch.equal(state['decode_head.conv_rev.bias'], -bias)
    assert len(state) == 4
