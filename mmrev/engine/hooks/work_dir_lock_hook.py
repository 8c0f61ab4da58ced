"""One process at a time in a work dir."""

from pathlib import Path

from filelock import FileLock, Timeout
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmrev.errors import ConfigError
from mmrev.registry import HOOKS

LOCK = 'run.lock'
# whoever asks for the state of a lock holds it for a moment
PATIENCE = 0.5


@HOOKS.register_module()
class WorkDirLockHook(Hook):
    """Keeps a second training or test out of the work dir. The system frees the lock when the process ends, however.

    Raises:
        ConfigError: Another process runs in the work dir.

    Example:
        >>> WorkDirLockHook().priority
        'VERY_HIGH'
    """

    priority = 'VERY_HIGH'  # before a hook writes into the work dir

    def __init__(self) -> None:
        self._lock: FileLock | None = None

    def before_run(self, runner: Runner) -> None:
        if not is_main_process():
            return
        lock = FileLock(Path(runner.work_dir, LOCK))
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            raise ConfigError(f'another process runs in {runner.work_dir}: wait for its end') from None
        self._lock = lock

    def after_run(self, runner: Runner) -> None:
        if self._lock is not None:
            self._lock.release()
