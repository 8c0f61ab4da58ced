"""Trainings in processes of their own, some of which end by a real ``kill -9``."""

import multiprocessing
import os
import signal
import socket
import sys
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import tiny_runs
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from mmrev.cli import train
from mmrev.engine import work_dirs

# a fork of a process that has imported all this starts at once, and inherits no thread of the tests
CONTEXT = multiprocessing.get_context('forkserver')
CONTEXT.set_forkserver_preload(['mmseg.models', 'mmrev.models', 'mmrev.cli.train'])
PHASES = ('before the step', 'after the step', 'while a checkpoint is written', 'before it is named', 'validation')


def kill_myself():
    os.kill(os.getpid(), signal.SIGKILL)


@HOOKS.register_module()
class KillHook(Hook):
    """Kills the process in a phase of an iteration. The phase is an index of PHASES."""

    priority = 'VERY_HIGH'

    def __init__(self, iteration=-1, phase=0):
        self.iteration, self.phase = iteration, PHASES[phase]

    def _kill_in(self, runner, phase):
        if runner.iter == self.iteration and self.phase == phase:
            kill_myself()

    def before_train_iter(self, runner, *_, **__):
        self._kill_in(runner, 'before the step')

    def after_train_iter(self, runner, *_, **__):
        self._kill_in(runner, 'after the step')

    def before_val_iter(self, runner, *_, **__):
        self._kill_in(runner, 'validation')

    def before_save_checkpoint(self, runner, checkpoint):
        if runner.iter == self.iteration and 'checkpoint' in self.phase:
            work_dirs.os.replace = lambda part, path: (os.truncate(part, os.path.getsize(part) // 2), kill_myself())
        elif runner.iter == self.iteration and 'named' in self.phase:
            replace = os.replace
            work_dirs.os.replace = lambda part, path: (replace(part, path), kill_myself())


def start(*argv: str | Path, output: Path, environment: dict[str, str] | None = None) -> ForkServerProcess:
    """Starts ``mmrev train ...``. Its output goes into the file."""
    process = CONTEXT.Process(target=_train, args=(list(map(str, argv)), str(output), environment or {}))
    process.start()
    return process


def run(*argv: str | Path, output: Path, ranks: int = 1, patience: float = 300) -> set[int]:
    """Runs ``mmrev train ...``, and returns the exit statuses of its processes: -9 after ``kill -9``."""
    environments = [None]
    if ranks > 1:
        argv = (*argv, '--launcher', 'pytorch')
        common = dict(WORLD_SIZE=str(ranks), MASTER_ADDR='127.0.0.1', MASTER_PORT=str(_free_port()))
        environments = [dict(common, RANK=str(rank), LOCAL_RANK=str(rank)) for rank in range(ranks)]
    processes = [start(*argv, output=output, environment=environment) for environment in environments]
    for process in processes:
        process.join(patience)
        if process.is_alive():
            process.kill()
    return {process.exitcode for process in processes}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def _train(argv: list[str], output: str, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    torch.set_num_threads(1)
    # oneDNN's convolutions differ in the last digit from one call to the next
    torch.backends.mkldnn.enabled = False
    sys.exit(tiny_runs.call(train.main, *argv))
