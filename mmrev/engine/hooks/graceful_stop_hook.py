import signal
import threading
from pathlib import Path
from types import FrameType

import torch
from mmengine.device import get_device
from mmengine.dist import all_reduce, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from mmrev.registry import HOOKS

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@HOOKS.register_module()
class GracefulStopHook(Hook):
    """Ends a training on Ctrl-C or SIGTERM with a checkpoint of the last whole iteration, to ``--resume`` from.

    A second signal ends the process at once. An epoch-based training is stopped without a checkpoint: mmengine cannot
    resume within an epoch.

    Raises:
        KeyboardInterrupt: At the end of the iteration in which the first signal came.
    """

    priority = 'LOWEST'  # after the schedulers have stepped and the regular checkpoint is written

    def __init__(self) -> None:
        self.asked = False
        self._previous: dict = {}

    def before_train(self, runner: Runner) -> None:
        # Python only lets the main thread set handlers
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._ask) for number in SIGNALS}

    def after_train(self, runner: Runner) -> None:
        self._restore()

    def after_train_iter(self, runner: Runner, *_, **__) -> None:
        if not self._asked_on_any_rank():
            return
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            name = f'iter_{runner.iter + 1}.pth'
            runner.save_checkpoint(runner.work_dir, name, by_epoch=False)
            if is_main_process():
                Path(runner.work_dir, 'last_checkpoint').write_text(str(Path(runner.work_dir, name)))
            runner.logger.info(f'stopped after iteration {runner.iter + 1}: saved {name}; --resume goes on from there')
        self._restore()
        raise KeyboardInterrupt

    def _asked_on_any_rank(self) -> bool:
        if get_world_size() == 1:
            return self.asked
        votes = torch.tensor(int(self.asked), device=get_device())
        all_reduce(votes)
        return bool(votes)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
