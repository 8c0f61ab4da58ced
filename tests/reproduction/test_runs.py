import json
import subprocess
import sys

import pytest
from mmengine.config import Config

from mmrev.errors import ConfigError
from mmrev.reproduction.experiment import require_same
from mmrev.reproduction.runs import Busy, Run, Trained

JOB = """
import sys, time
from pathlib import Path
from mmrev.reproduction.runs import Run
with Run(Path(sys.argv[1])).lock():
    print('locked', flush=True)
    time.sleep(600)
"""
TRAINING = """
import sys, time
from mmrev.engine.work_dirs import lock_work_dir
lock_work_dir(sys.argv[1])
print('locked', flush=True)
time.sleep(600)
"""


@pytest.fixture()
def run(tmp_path):
    return Run(tmp_path / 'config/seed_0')


@pytest.mark.parametrize(
    ('code', 'says'),
    [(JOB, 'another process works in'), (TRAINING, 'a training whose command was killed still runs in')],
)
def test_two_processes_never_work_on_one_row_and_a_kill_frees_it(run, code, says):
    other = subprocess.Popen([sys.executable, '-c', code, run.folder], stdout=subprocess.PIPE, text=True)
    try:
        assert 'locked\n' in iter(other.stdout.readline, '')
        assert run.state() == 'at work in another process'
        with pytest.raises(Busy, match=says), run.lock():
            pass
    finally:
        other.kill()
        other.communicate()
    assert run.state() == 'not run'
    with run.lock():
        assert run.is_locked()
    assert not run.is_locked()


def test_the_state_follows_the_marks(run):
    trained = Trained('iter_2.pth', '0a', 'CPU', 1, 0.1, '', '', '')
    run.folder.mkdir(parents=True)
    (run.folder / 'progress.json').write_text(json.dumps(dict(stage='train', done=3, total=9, seconds=1.5)))
    assert run.state() == 'stopped: train 3 of 9'
    run.mark_failed('the disk is full')
    assert run.state() == 'failed: the disk is full'
    run.mark_failed(None)
    run.mark_trained(trained)
    assert run.trained() is None  # the file is gone
    (run.folder / 'iter_2.pth').touch()
    assert run.trained() == trained and run.state() == 'trained, not tested'


def test_a_training_goes_on_as_it_began(tmp_path):
    file = tmp_path / 'experiment.py'
    text = Config(dict(seed=0, lr=0.1)).pretty_text
    require_same(text, file)
    file.write_text(text)
    require_same(text, file)
    with pytest.raises(ConfigError, match='was begun with another config .it differs in `lr ?= ?0.1`'):
        require_same(text.replace('0.1', '0.2'), file)
