"""``make gpu``: slices run once, go on after their time, and do not stop each other."""

import json
from pathlib import Path

import pytest

from evidence import gpu
from evidence.studies import STUDIES
from mmrev.config_files import config_root

ROOT = Path(__file__).parents[2]
WRITES = "import sys; open(sys.argv[1], 'a').write('x')"
SLEEPS = (
    "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(60 if len(open(sys.argv[1]).read()) < 2 else 0)"
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Calls the command with made-up slices: name -> code, or (code, alone)."""

    def call(made_up, *options):
        found = []
        for name, code in made_up.items():
            code, alone = code if isinstance(code, tuple) else (code, True)
            found.append(gpu.Slice(name, ('-c', code, str(tmp_path / f'{name}.txt')), alone))
        monkeypatch.setattr(gpu, 'slices', lambda *folders: found)
        return gpu.main(['--out', str(tmp_path / 'out'), '--device', 'cpu', *options])

    return call


def times(tmp_path, name):
    return len((tmp_path / f'{name}.txt').read_text())


def test_what_has_ended_well_is_not_repeated(run, tmp_path, capsys):
    assert run(dict(good=WRITES, bad=f'{WRITES}; sys.exit("broken here")')) == 1
    assert 'broken here' in (tmp_path / 'out/bad/log').read_text()
    assert run(dict(good=WRITES, bad=WRITES)) == 0
    assert (times(tmp_path, 'good'), times(tmp_path, 'bad')) == (1, 2)
    assert 'failed' not in capsys.readouterr().out.splitlines()[-2]


@pytest.mark.parametrize('alone', [True, False])
def test_a_slice_goes_on_after_its_time(run, tmp_path, alone):
    made_up = dict(long=(SLEEPS, alone), later=(WRITES, alone))
    assert run(made_up, '--seconds', '2', '--jobs', '1') == 3
    assert not (tmp_path / 'later.txt').exists()
    assert json.loads((tmp_path / 'out/long/state.json').read_text())['state'] == 'stopped'
    assert run(made_up) == 0
    assert (times(tmp_path, 'long'), times(tmp_path, 'later')) == (2, 1)


def test_slices_that_need_the_gpu_for_themselves_come_first(run, capsys):
    assert run(dict(together=(WRITES, False), alone=(WRITES, True))) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.endswith(': done')] == [
        'alone: done',
        'together: done',
    ]


def test_other_slices_share_the_gpu(run):
    """Each waits for the other to begin."""
    code = f"""{WRITES}
import pathlib, time
end, mine = time.time() + 60, pathlib.Path(sys.argv[1])
while not mine.with_name(OTHER).exists():
    assert time.time() < end
    time.sleep(0.1)
"""
    a, b = (code.replace('OTHER', repr(f'{other}.txt')) for other in 'ba')
    assert run(dict(a=(a, False), b=(b, False)), '--jobs', '2') == 0


def test_some_slices(run, tmp_path, capsys):
    assert run(dict(a=WRITES, b=WRITES), '--only', 'b') == 0
    assert times(tmp_path, 'b') == 1 and not (tmp_path / 'a.txt').exists()
    with pytest.raises(SystemExit):
        run(dict(a=WRITES), '--only', 'c')
    assert '--only c: expected some of a' in capsys.readouterr().err


def test_without_a_gpu_it_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    assert gpu.main(['--out', str(tmp_path)]) == 1
    assert capsys.readouterr().err == 'FAILED: torch sees no GPU here: see `mmrev doctor`\n'


def test_the_real_slices(tmp_path):
    found = {each.name: each for each in gpu.slices(tmp_path, tmp_path / 'data', tmp_path / 'weights', 'cuda')}
    assert found.keys() > {'tests', 'ra_net', 'ranet_amp', 'ranet_129', *STUDIES}
    trainings = [each for name, each in found.items() if name.startswith('camvid_')]
    assert len(trainings) == 6
    for each in trainings:
        assert (config_root() / f'{each.argv[3]}.py').exists()
        assert f'test_dataloader.dataset.data_root={tmp_path}/data/camvid' in each.argv
    assert not {each.name for each in gpu.slices(tmp_path, None, None, 'cuda')} & set(STUDIES)
    scripts = [each.argv[0] for each in found.values() if each.argv[0] != '-m']
    assert len(scripts) == 7 and all((ROOT / script).exists() for script in scripts)
    files = [part for part in found['tests'].argv if part.startswith('tests/')]
    assert len(files) == 2 and all((ROOT / part).exists() for part in files)
