from types import SimpleNamespace

import pytest
from filelock import FileLock

from mmrev.engine.hooks import work_dir_lock_hook
from mmrev.engine.hooks.work_dir_lock_hook import WorkDirLockHook
from mmrev.errors import ConfigError


def test_one_process_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(work_dir_lock_hook, 'PATIENCE', 0.05)
    runner = SimpleNamespace(work_dir=str(tmp_path))
    first, second = WorkDirLockHook(), WorkDirLockHook()
    first.before_run(runner)
    with pytest.raises(ConfigError, match=f'another process runs in {tmp_path}'):
        second.before_run(runner)
    first.after_run(runner)
    second.before_run(runner)
    second.after_run(runner)


def test_only_the_main_process_locks(tmp_path, monkeypatch):
    monkeypatch.setattr(work_dir_lock_hook, 'is_main_process', lambda: False)
    hook = WorkDirLockHook()
    hook.before_run(SimpleNamespace(work_dir=str(tmp_path)))
    with FileLock(tmp_path / work_dir_lock_hook.LOCK, timeout=0):
        hook.after_run(None)
