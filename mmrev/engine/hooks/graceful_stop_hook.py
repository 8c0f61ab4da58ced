"""An end of the training on Ctrl-C, or on a signal of a cluster, that loses nothing."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import torch
from mmengine.device import get_device
from mmengine.dist import all_reduce, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner, find_latest_checkpoint

from mmrev.registry import HOOKS

from ..work_dirs import write_whole
from .exact_resume_hook import ExactResumeHook

# SIGTERM comes before a machine is taken away. Slurm sends SIGUSR1 on request (sbatch --signal), Windows has none.
SIGNALS = tuple(getattr(signal, name) for name in ('SIGINT', 'SIGTERM', 'SIGUSR1') if hasattr(signal, name))
# Seconds in which signals count as one: the terminal sends a signal to all processes, and torchrun sends it again.
ONE_PRESS = 1.0


@HOOKS.register_module()
class GracefulStopHook(Hook):
    """Saves a checkpoint on Ctrl-C, SIGTERM or SIGUSR1 at the end of the iteration, and ends the training.

    ``--resume`` goes on from this checkpoint. A second signal ends the process at once. A training by epochs needs
    ``mmrev.ExactResumeHook`` to be resumed within an epoch. Without it, ``--resume`` goes on from the last whole epoch.

    Raises:
        KeyboardInterrupt: At the end of the iteration in which the first signal came.

    Example:
        >>> GracefulStopHook().asked
        False
    """

    priority = 'LOWEST'  # after the schedulers have stepped and the regular checkpoint is written

    def __init__(self) -> None:
        self.asked = False
        self._asked_at = 0.0
        self._pid = os.getpid()
        self._previous: dict = {}

    def before_train(self, runner: Runner) -> None:
        # Only the main thread may set handlers. Worker processes that are forked later inherit them: Ctrl-C in the
        # terminal reaches the workers too, and they must go on until the iteration ends.
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: self._replace(number) for number in SIGNALS}

    def after_train(self, runner: Runner) -> None:
        self._restore()

    def after_train_iter(self, runner: Runner, *_, **__) -> None:
        if not self._asked_on_any_rank():
            return
        if isinstance(runner.train_loop, IterBasedTrainLoop) or _resumes_within_epochs(runner):
            file = Path(runner.work_dir, f'iter_{runner.iter + 1}.pth')
            runner.save_checkpoint(runner.work_dir, file.name, by_epoch=False)
            if is_main_process():
                write_whole(Path(runner.work_dir, 'last_checkpoint'), str(file).encode())
            kept = f'after iteration {runner.iter + 1}: --resume goes on from {file}'
        elif find_latest_checkpoint(runner.work_dir):
            kept = f'within epoch {runner.epoch + 1}: --resume goes on from {find_latest_checkpoint(runner.work_dir)}'
        else:
            kept = 'within the first epoch: there is no checkpoint yet, so the next training starts at the beginning'
        runner.logger.info(f'stopped {kept}')
        self._restore()
        raise KeyboardInterrupt(kept)

    def _asked_on_any_rank(self) -> bool:
        if get_world_size() == 1:
            return self.asked
        votes = torch.tensor(int(self.asked), device=get_device())
        all_reduce(votes)
        return bool(votes)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if not self.asked:
            self.asked, self._asked_at = True, time.monotonic()
            if os.getpid() != self._pid:
                self._restore()
            else:
                print('stopping after this iteration; again to stop at once', flush=True)
        elif time.monotonic() - self._asked_at > ONE_PRESS:
            self._restore()
            signal.raise_signal(number)

    def _replace(self, number: int) -> Callable | int | None:
        handler = signal.signal(number, self._ask)
        owner = getattr(handler, '__self__', None)
        # a training that failed earlier in this process did not restore the handler
        return owner._previous[number] if isinstance(owner, GracefulStopHook) else handler

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}


def _resumes_within_epochs(runner: Runner) -> bool:
    return any(isinstance(hook, ExactResumeHook) and hook.resumes_within_epochs() for hook in runner.hooks)
