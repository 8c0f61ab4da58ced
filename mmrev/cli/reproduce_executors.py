"""How the jobs of ``mmrev reproduce`` run: one after another here, or as jobs of submitit."""

import argparse
import logging
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch
from tqdm import tqdm

from mmrev.errors import ConfigError, HostError, UserError, require_choice
from mmrev.reproduction.experiment import Settings
from mmrev.reproduction.plan import Task

from .reproduce_job import Job, Outcome

INTERVAL = 30  # seconds between two lines of progress where there is no terminal
POLL = 1.0  # seconds between two looks at the jobs
PATIENCE = 60  # seconds for trainings to save their state
DAYS = 3 * 24 * 60  # minutes that a job may take before it is started again
STARTS = 100
NUMBER = re.compile(r'\d+')
LOCAL_OPTIONS = ('timeout_min', 'signal_delay_s')


class Bars:
    """A bar over the trainings, and one over the iterations of those that run. Without a terminal: a line at times.

    Args:
        settings: The settings of the command.
        total: The number of trainings.
    """

    def __init__(self, settings: Settings, total: int) -> None:
        self.settings = settings
        self._ended, self._failed, self._total = 0, 0, total
        self._terminal = sys.stderr.isatty()
        self._shown = time.monotonic()
        options: dict[str, Any] = dict(dynamic_ncols=True, disable=not self._terminal)
        self._jobs = tqdm(total=total, desc='trainings with their tests', unit='job', **options)
        self._inside = tqdm(
            total=1, position=1, leave=False, bar_format='{desc} {n_fmt}/{total_fmt} |{bar}|', **options
        )

    def show(self, running: Sequence[Task]) -> None:
        """Shows how far the running trainings and tests are."""
        if not self._terminal and time.monotonic() - self._shown < INTERVAL:
            return
        self._shown = time.monotonic()
        found = {task: self.settings.run(task.config, task.seed).progress() for task in running}
        states = {task: progress for task, progress in found.items() if progress}
        text = '; '.join(f'{task}: {progress}' for task, progress in list(states.items())[:3])
        if not self._terminal:
            return self._write(text or 'nothing has begun yet')
        self._inside.set_description(text, False)
        self._inside.total = sum(progress.total for progress in states.values()) or 1
        self._inside.n = sum(progress.done for progress in states.values())
        self._inside.refresh()

    def finish(self, outcome: Outcome) -> Outcome:
        """Counts a finished job, writes what went wrong above the bars, and returns its outcome."""
        for line in filter(None, [*outcome.failures, outcome.left_out]):
            self._write(line)
        self._jobs.update()
        self._ended += 1
        self._failed += bool(outcome.failures or outcome.left_out)
        if not self._terminal:
            failed = f', {self._failed} of them failed or were left out' if self._failed else ''
            self._write(f'{self._ended} of {self._total} trainings ended, with their tests{failed}')
        return outcome

    def _write(self, line: str) -> None:
        self._jobs.write(line, file=sys.stderr)

    @contextmanager
    def shown(self) -> Iterator['Bars']:
        """Closes the bars at the end."""
        try:
            yield self
        finally:
            self._inside.close()
            self._jobs.close()


class Once(logging.Filter):
    """Lets each message pass once. Submitit repeats one at each look where a cluster has no accounting."""

    def __init__(self) -> None:
        super().__init__()
        self._seen = set[str]()

    def filter(self, record: logging.LogRecord) -> bool:
        text = NUMBER.sub('#', record.getMessage())
        new = text not in self._seen
        self._seen.add(text)
        return new


def run_here(tasks: Sequence[Task], settings: Settings, bars: Bars, args: argparse.Namespace) -> list[Outcome]:
    """Runs the jobs one after another, and returns their outcomes."""
    return [bars.finish(Job(task, settings)(watch=partial(bars.show, [task]))) for task in tasks]


def run_submitted(tasks: Sequence[Task], settings: Settings, bars: Bars, args: argparse.Namespace) -> list[Outcome]:
    """Runs the jobs through submitit, and returns their outcomes.

    Raises:
        KeyboardInterrupt: The user stops the command. Jobs on this machine save their state before. Jobs on a cluster
            go on.
    """
    executor = _make_executor(settings, args)
    waiting, running, outcomes = list(tasks), dict[int, tuple[Task, Any]](), list[Outcome]()
    slots = range(args.jobs or (1 if args.executor == 'local' else len(tasks)))
    try:
        while waiting or running:
            free = [slot for slot in slots if slot not in running]
            for slot, task in zip(free, _ready(waiting, running), strict=False):
                _choose_gpus(executor, slot, args)
                running[slot] = task, executor.submit(Job(task, settings))
                waiting.remove(task)
            for slot, (task, job) in list(running.items()):
                if job.done():
                    outcomes.append(bars.finish(_outcome(task, job)))
                    del running[slot]
            bars.show([task for task, _ in running.values()])
            time.sleep(POLL)
    except KeyboardInterrupt:
        _leave(args.executor, list(running.values()), settings)
        raise
    return outcomes


def _make_executor(settings: Settings, args: argparse.Namespace) -> Any:
    if find_spec('submitit') is None:
        raise HostError("--executor needs a package: pip install submitit, or pip install 'mmrev[reproduce]'")
    import submitit

    logging.getLogger('submitit').addFilter(Once())
    folder, options = settings.folder / 'jobs/%j', dict(args.executor_options or {})
    executor: Any
    if args.executor == 'local':
        for name, value in options.items():  # submitit ignores other names, and fails late at a wrong value
            require_choice('name in --executor-options', name, LOCAL_OPTIONS)
            if not isinstance(value, int):
                raise ConfigError(f'--executor-options: {name}={value}: expected a whole number')
        executor = submitit.LocalExecutor(folder, max_num_timeout=STARTS)
    else:
        try:
            executor = submitit.AutoExecutor(folder, cluster='slurm', slurm_max_num_timeout=STARTS)
        except RuntimeError as error:
            raise HostError(f'--executor slurm: {error}') from error
        _update(executor, name='mmrev')
    gpus = dict(gpus_per_node=settings.gpus) if settings.gpus else {}
    _update(executor, timeout_min=DAYS, **gpus)
    _update(executor, **options)
    return executor


def _choose_gpus(executor: Any, slot: int, args: argparse.Namespace) -> None:
    """Spreads the jobs on this machine over its GPUs. A cluster does that itself."""
    found, wanted = torch.cuda.device_count(), args.gpus or 1
    if args.executor == 'local' and found:
        gpus = [(slot * wanted + index) % found for index in range(wanted)]
        _update(executor, gpus_per_node=wanted, visible_gpus=gpus)


def _update(executor: Any, **options: Any) -> None:
    try:
        executor.update_parameters(**options)
    except (AssertionError, NameError, TypeError, ValueError) as error:
        raise UserError(f'--executor-options: {" ".join(str(error).split())}') from error


def _ready(waiting: Sequence[Task], running: Mapping[int, tuple[Task, Any]]) -> list[Task]:
    """Returns the tasks whose starting weights are there, or will not come."""
    coming = {(task.config, task.seed) for task in (*waiting, *(task for task, _ in running.values()))}
    return [task for task in waiting if not any((config, task.seed) in coming for config in task.after)]


def _outcome(task: Task, job: Any) -> Outcome:
    error = job.exception()
    if error is None:
        return job.result()
    return Outcome([f'{task}: the job ended without a result ({type(error).__name__}): see {job.paths.stderr}'])


def _leave(executor: str, running: Sequence[tuple[Task, Any]], settings: Settings) -> None:
    if executor == 'slurm':
        numbers = ' '.join(job.job_id for _, job in running)
        raise KeyboardInterrupt(
            f'looking: the jobs {numbers} go on; the same command with --status shows them, `scancel {numbers}` ends '
            'them with a checkpoint'
        )
    for _, job in running:
        job.cancel()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and any(settings.run(task.config, task.seed).is_locked() for task, _ in running):
        time.sleep(POLL)


EXECUTORS = {'none': run_here, 'local': run_submitted, 'slurm': run_submitted}
