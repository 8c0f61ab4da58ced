"""A small file that says how far a training or a test is, for the process that waits for it."""

import json
import time
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmrev.registry import HOOKS

FILE = 'progress.json'
INTERVAL = 1.0  # seconds between two writes


@HOOKS.register_module()
class ProgressFileHook(Hook):
    """Writes ``progress.json`` into the work dir: the stage, the iterations that are done, their total, the seconds.

    The seconds are those of all starts of a training. A training that was killed keeps what it had used.

    Example:
        >>> ProgressFileHook().seconds
        0.0
    """

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self.seconds = 0.0
        self._started = self._written = 0.0

    def before_train(self, runner: Runner) -> None:
        file = Path(runner.work_dir, FILE)
        self._start(json.loads(file.read_text()).get('seconds', 0.0) if file.exists() else 0.0)
        self._write(runner, 'train', runner.iter, runner.max_iters)

    def after_train_iter(self, runner: Runner, *_, **__) -> None:
        self._write_sometimes(runner, 'train', runner.iter + 1, runner.max_iters)

    def after_train(self, runner: Runner) -> None:
        self._write(runner, 'train', runner.max_iters, runner.max_iters)

    def before_test(self, runner: Runner) -> None:
        self._start(0.0)

    def after_test_iter(self, runner: Runner, batch_idx: int, *_, **__) -> None:
        self._write_sometimes(runner, 'test', batch_idx + 1, len(runner.test_dataloader))

    def _start(self, seconds: float) -> None:
        self.seconds, self._started = seconds, time.monotonic()

    def _write_sometimes(self, runner: Runner, *state) -> None:
        if time.monotonic() - self._written >= INTERVAL:
            self._write(runner, *state)

    def _write(self, runner: Runner, stage: str, done: int, total: int) -> None:
        if not is_main_process():
            return
        self._written = time.monotonic()
        seconds = self.seconds + self._written - self._started
        file = Path(runner.work_dir, FILE)
        file.parent.mkdir(parents=True, exist_ok=True)
        # a reader sees the old file or the new one, never a part
        whole = file.with_suffix('.tmp')
        whole.write_text(json.dumps(dict(stage=stage, done=done, total=total, seconds=seconds)))
        whole.replace(file)
