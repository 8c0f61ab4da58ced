"""One job of ``mmrev reproduce``: it trains one config with one seed, and tests all rows that take its weights."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

from mmrev.config_files import config_root
from mmrev.engine.work_dirs import last_checkpoint
from mmrev.reproduction import provenance
from mmrev.reproduction.commands import Command, like_ctrl_c
from mmrev.reproduction.experiment import Experiment, Settings, make_experiment, require_same
from mmrev.reproduction.outputs import (
    RowError,
    describe_data,
    read_metrics,
    redirect_submission,
    why_it_failed,
    with_figure,
)
from mmrev.reproduction.papers import Papers, read_papers
from mmrev.reproduction.plan import Task, Wanted, missing
from mmrev.reproduction.results import Result, Results
from mmrev.reproduction.runs import Busy, Run, Trained

from .configs import require_metrics
from .one_line_errors import explain


@dataclass
class Outcome:
    """The end of a job.

    Args:
        failures: The failures, one line each.
        left_out: Why the job was left to another process, if it was.
    """

    failures: list[str] = field(default_factory=list)
    left_out: str = ''


@dataclass
class Job:
    """A task of the plan, as a function that another machine can call too.

    Args:
        task: The training, and its tests.
        settings: The settings of the command.
    """

    task: Task
    settings: Settings
    command: Command = field(default_factory=Command)

    def __call__(self, watch: Callable[[], None] = lambda: None) -> Outcome:
        """Trains and tests what is missing.

        Args:
            watch: It is called a few times a second while a training or a test runs.

        Raises:
            KeyboardInterrupt: The process was asked to stop. The training has saved its state.
        """
        try:
            with like_ctrl_c(), self.run.lock():
                self.run.mark_failed(None)
                failures = self._train_and_test(watch)
                self.run.mark_failed('; '.join(failures) or None)
        except Busy as busy:
            return Outcome(left_out=f'{self.task}: left out: {busy}')
        return Outcome([f'{self.task}: {failure}' for failure in failures])

    def checkpoint(self, *_: Any) -> Any:
        """Ends the training with a checkpoint, when a cluster takes the machine away, and asks for a new start."""
        from submitit.helpers import DelayedSubmission

        self.command.stop()
        return DelayedSubmission(Job(self.task, self.settings))

    @property
    def run(self) -> Run:
        """The folder of the training."""
        return self.settings.run(self.task.config, self.task.seed)

    @cached_property
    def papers(self) -> Papers:
        """The tables."""
        return read_papers(config_root())

    @property
    def results(self) -> Results:
        """The CSV file."""
        return Results(self.settings.folder / 'results.csv')

    def _train_and_test(self, watch: Callable[[], None]) -> list[str]:
        """Returns the failures: one of the training ends the job, one of a test does not."""
        failures = []
        try:
            tests = self._check_tests()
            trained = self.run.trained() or self._train(watch)
        except Exception as error:
            return [_reason(error)]
        for name in tests:
            try:
                self._test(name, trained, watch)
            except Exception as error:
                failures.append(f'test of {name}: {_reason(error)}')
        return failures

    def _check_tests(self) -> list[str]:
        """Checks before the training that all tests can run after it. Returns the names of the tests."""
        known = self.results.read()
        names = [name for name in self.task.tests if missing(self.papers, name, self.task.seed, known)]
        for name in names:
            require_metrics(self._experiment(name).cfg)
        return names

    def _experiment(self, name: str) -> Experiment:
        return make_experiment(self.papers, name, self.task.seed, self.settings)

    def _train(self, watch: Callable[[], None]) -> Trained:
        experiment, folder = self._experiment(self.task.config), self.run.folder
        begun = folder / 'experiment.py'
        require_same(experiment.text, begun)
        begun.write_text(experiment.text)
        experiment.cfg.dump(folder / 'train.py')
        self._mmrev('train', folder / 'train.py', '--work-dir', folder, '--resume', watch=watch)
        checkpoint, progress = last_checkpoint(folder), self.run.training_progress()
        if checkpoint is None or progress is None:
            raise RowError(f'the training ended without a checkpoint: see {folder / "train.log"}')
        trained = Trained(
            checkpoint=Path(checkpoint).name,
            sha256=provenance.sha256(Path(checkpoint)),
            device=provenance.device(),
            processes=max(1, self.settings.gpus),
            hours=progress.seconds / 3600,
            versions=provenance.versions(),
            commit=provenance.commit(),
            data=describe_data(experiment, 'train'),
        )
        self.run.mark_trained(trained)
        return trained

    def _test(self, name: str, trained: Trained, watch: Callable[[], None]) -> None:
        """Tests a row once for each setting of its figures, and adds its lines to the CSV file."""
        settings: dict[tuple, list[Wanted]] = {}
        for each in missing(self.papers, name, self.task.seed, self.results.read()):
            settings.setdefault((tuple(each.measure.options.items()), each.flags), []).append(each)
        for (options, flags), figures in settings.items():
            experiment = self._experiment(name)
            folder = self.run.folder / 'test' / '_'.join([name, *(value for _, value in options)])
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            experiment.cfg.merge_from_dict(dict(options))
            submission = redirect_submission(experiment.cfg, folder)
            experiment.cfg.dump(folder / 'test.py')
            checkpoint = self.run.folder / trained.checkpoint
            self._mmrev('test', folder / 'test.py', checkpoint, '--work-dir', folder, *flags, watch=watch)
            measured = read_metrics(folder)
            line = self._line(name, trained, experiment, submission)
            self.results.add([with_figure(line, each, measured) for each in figures])

    def _line(self, name: str, trained: Trained, experiment: Experiment, submission: str) -> Result:
        return Result(
            config=name,
            seed=str(self.task.seed),
            metric='',
            printed='',
            measured='',
            note=submission,
            budget=self.settings.size,
            weights_from=self.task.config,
            checkpoint=str(self.run.folder / trained.checkpoint),
            sha256=trained.sha256,
            data='; '.join(filter(None, [trained.data, describe_data(experiment, 'test')])),
            device=trained.device,
            processes=str(trained.processes),
            hours=f'{trained.hours:.4f}',
            versions=trained.versions,
            commit=trained.commit,
            options=self.settings.says,
            date=datetime.now(timezone.utc).isoformat(timespec='seconds'),
        )

    def _mmrev(self, name: str, config: Path, *arguments: Any, watch: Callable[[], None]) -> None:
        """Runs a command of mmrev, in several processes where there are several GPUs."""
        argv, log = [name, config, *arguments], config.with_name(f'{name}.log')
        launcher: list[str] = []
        if self.settings.gpus > 1:
            argv += ['--launcher', 'pytorch']
            launcher = ['-m', 'torch.distributed.run', '--standalone', f'--nproc-per-node={self.settings.gpus}']
        start = log.stat().st_size if log.exists() else 0
        status = self.command.run([sys.executable, *launcher, '-m', 'mmrev', *map(str, argv)], log, watch)
        if status:
            raise RowError(why_it_failed(status, log, start))


def _reason(error: Exception) -> str:
    """One line, also of a bug: the rows behind this one go on."""
    return explain(error) or f'{type(error).__name__}: {error}'.replace('\n', ' ')
