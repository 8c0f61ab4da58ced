import json
from types import SimpleNamespace

import pytest

from mmrev.engine.hooks import progress_file_hook
from mmrev.engine.hooks.progress_file_hook import ProgressFileHook


@pytest.fixture()
def clock(monkeypatch):
    """A clock that the test moves."""
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(progress_file_hook.time, 'monotonic', lambda: now.seconds)
    return now


def runner(folder, done=0):
    return SimpleNamespace(work_dir=str(folder), iter=done, max_iters=10, test_dataloader=[None] * 4)


def written(folder):
    return json.loads((folder / 'progress.json').read_text())


def test_the_seconds_of_all_starts_are_added(tmp_path, clock):
    for start in (0, 3):
        hook = ProgressFileHook()
        hook.before_train(runner(tmp_path, start))
        assert written(tmp_path)['done'] == start
        clock.seconds += 5
        hook.after_train_iter(runner(tmp_path, start + 2))
        clock.seconds += 1000  # between the starts, after a kill
    assert written(tmp_path) == dict(stage='train', done=6, total=10, seconds=10.0)


def test_it_writes_once_a_second_and_at_the_end(tmp_path, clock):
    hook = ProgressFileHook()
    hook.before_train(runner(tmp_path))
    clock.seconds += 0.5
    hook.after_train_iter(runner(tmp_path, 4))
    assert written(tmp_path)['done'] == 0
    hook.after_train(runner(tmp_path, 10))
    assert written(tmp_path)['done'] == 10


def test_a_test_is_shown_too(tmp_path, clock):
    hook = ProgressFileHook()
    hook.before_test(runner(tmp_path))
    clock.seconds += 2
    hook.after_test_iter(runner(tmp_path), batch_idx=1)
    assert written(tmp_path) == dict(stage='test', done=2, total=4, seconds=2.0)
