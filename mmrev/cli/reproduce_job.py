"""One job of ``mmrev reproduce``: it trains one config with one seed, and tests all rows that take its weights."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mmrev.datasets.checks import leaf_datasets
from mmrev.errors import UserError
from mmrev.reproduction import provenance
from mmrev.reproduction.commands import Stop
from mmrev.reproduction.experiment import Experiment, Settings, make_experiment, read_config, require_same
from mmrev.reproduction.papers import Papers, read_papers
from mmrev.reproduction.plan import Task, Wanted, missing
from mmrev.reproduction.results import Result, Results
from mmrev.reproduction.runs import Busy, Run, Trained

from .configs import config_root, require_host_of, require_metrics
from .one_line_errors import explain
from .train import last_checkpoint

ERROR = 'mmrev: error: '


class RowError(UserError):
    """A training or a test ended with an error."""


@dataclass
class Outcome:
    """The end of a job.

    Args:
        failures: What failed, one line each.
        left_out: Why the job was left to another process, if it was.
    """

    failures: list[str] = field(default_factory=list)
    left_out: str = ''


@dataclass
class Job:
    """A task of the plan, as a function that also another machine can call.

    Args:
        task: The training, and its tests.
        settings: The settings of the command.
    """

    task: Task
    settings: Settings
    stop: Stop = field(default_factory=Stop)

    def __call__(self, watch: Callable[[], None] = lambda: None) -> Outcome:
        """Trains and tests what is missing.

        Args:
            watch: It is called twice a second while a training or a test runs.

        Raises:
            KeyboardInterrupt: The process was asked to stop. The training has saved its state.
        """
        run = self.settings.run(self.task.config, self.task.seed)
        try:
            with self.stop.listening(), run.lock() as lock:
                run.mark_failed(None)
                failures = _Work(self, run, lock, watch).all()
                run.mark_failed('; '.join(failures) or None)
        except Busy as busy:
            return Outcome(left_out=f'{self.task}: left out: {busy}')
        return Outcome([f'{self.task}: {failure}' for failure in failures])

    def checkpoint(self, *_: Any) -> Any:
        """Ends the training with a checkpoint, when a cluster takes the machine away, and asks for a new start."""
        from submitit.helpers import DelayedSubmission

        self.stop.stop_child()
        return DelayedSubmission(Job(self.task, self.settings))

    def __getstate__(self) -> dict:
        return {**self.__dict__, 'stop': Stop()}


class _Work:
    """The steps of a job, while it holds the lock."""

    def __init__(self, job: Job, run: Run, lock: int, watch: Callable[[], None]) -> None:
        self.task, self.settings, self.stop = job.task, job.settings, job.stop
        self.run, self.lock, self.watch = run, lock, watch
        self.papers: Papers = read_papers(config_root())
        self.results = Results(self.settings.folder / 'results.csv')

    def all(self) -> list[str]:
        """Trains and tests. Returns the failures: one of the training ends the job, one of a test does not."""
        failures = []
        try:
            tests = self._check_tests()
            trained = self.run.trained() or self._train()
        except Exception as error:
            return [_reason(error)]
        for name in tests:
            try:
                self._test(name, trained)
            except Exception as error:
                failures.append(f'test of {name}: {_reason(error)}')
        return failures

    def _check_tests(self) -> list[str]:
        """Checks before the training that all tests can run after it. Returns the names of the tests."""
        known = self.results.read()
        names = [name for name in self.task.tests if missing(self.papers, name, self.task.seed, known)]
        for name in dict.fromkeys([self.task.config, *names]):
            require_host_of(read_config(self.papers, name, self.settings), name)
        for name in names:
            require_metrics(self._experiment(name).cfg)
        return names

    def _experiment(self, name: str) -> Experiment:
        return make_experiment(self.papers, name, self.task.seed, self.settings)

    def _train(self) -> Trained:
        experiment, folder = self._experiment(self.task.config), self.run.folder
        begun = folder / 'experiment.py'
        require_same(experiment.text, begun)
        begun.write_text(experiment.text)
        experiment.cfg.dump(folder / 'train.py')
        self._command('train', folder / 'train.py', '--work-dir', folder, '--resume', log=folder / 'train.log')
        checkpoint, progress = last_checkpoint(str(folder)), self.run.training_progress()
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
            data=_data(experiment, 'train'),
        )
        self.run.mark_trained(trained)
        return trained

    def _test(self, name: str, trained: Trained) -> None:
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
            submission = _redirect(experiment.cfg, folder)
            experiment.cfg.dump(folder / 'test.py')
            checkpoint = self.run.folder / trained.checkpoint
            self._command('test', folder / 'test.py', checkpoint, '--work-dir', folder, *flags, log=folder / 'test.log')
            measured = _metrics(folder)
            line = self._line(name, trained, experiment, submission)
            self.results.add([_with_figure(line, each, measured) for each in figures])

    def _line(self, name: str, trained: Trained, experiment: Experiment, submission: str) -> Result:
        return Result(
            config=name,
            seed=str(self.task.seed),
            metric='',
            printed='',
            measured='',
            note=submission,
            budget=self.settings.budget,
            weights_from=self.task.config,
            checkpoint=str(self.run.folder / trained.checkpoint),
            sha256=trained.sha256,
            data='; '.join(filter(None, [trained.data, _data(experiment, 'test')])),
            device=trained.device,
            processes=str(trained.processes),
            hours=f'{trained.hours:.4f}',
            versions=trained.versions,
            commit=trained.commit,
            options=self.settings.says,
            date=datetime.now(timezone.utc).isoformat(timespec='seconds'),
        )

    def _command(self, *argv: Any, log: Path) -> None:
        """Runs a command of mmrev, in several processes where there are several GPUs."""
        launcher: list[str] = []
        if self.settings.gpus > 1:
            argv = (*argv, '--launcher', 'pytorch')
            launcher = ['-m', 'torch.distributed.run', '--standalone', f'--nproc-per-node={self.settings.gpus}']
        start = log.stat().st_size if log.exists() else 0
        status = self.stop.run(
            [sys.executable, *launcher, '-m', 'mmrev', *map(str, argv)], log, lock=self.lock, watch=self.watch
        )
        if status:
            raise RowError(_last_error(log, start) or f'exit status {status}, see {log}')


def _redirect(cfg: Any, folder: Path) -> str:
    """Lets the files for a test server go below the folder of the test. Returns their folder, or ''."""
    evaluators = cfg.get('test_evaluator') or []
    for metric in evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]:
        if metric.get('output_dir'):
            metric['output_dir'] = str(folder / 'submission')
            return metric['output_dir']
    return ''


def _metrics(folder: Path) -> dict[str, float]:
    """Reads the results of a test. A test server keeps them to itself."""
    files = list(folder.glob('*/*.json'))
    return json.loads(files[0].read_text()) if files else {}


def _with_figure(line: Result, each: Wanted, measured: dict[str, float]) -> Result:
    value = measured.get(each.measure.key)
    if value is None and not line.note:
        raise RowError(f'the test gave no {each.metric} ({each.measure.key}), only {", ".join(measured) or "nothing"}')
    figure = '' if value is None else f'{value * each.measure.factor:.4f}'
    return replace(line, metric=each.metric, measured=figure, printed=each.printed, tables=' '.join(each.tables))


def _data(experiment: Experiment, name: str) -> str:
    """Says which images a training or test reads: ``test: 100 of 233 images of CamVidDataset``."""
    found = [split for split in experiment.splits if split.name == name]
    chosen = [len(leaf.get('indices', ())) for leaf in leaf_datasets(experiment.cfg[f'{name}_dataloader'].dataset)]
    return '; '.join(
        f'{name}: {f"{count} of " if count else ""}{split.images} images of {split.type}'
        for split, count in zip(found, chosen, strict=False)
    )


def _reason(error: Exception) -> str:
    """One line, also of a bug: the rows behind this one go on."""
    return explain(error) or f'{type(error).__name__}: {error}'.replace('\n', ' ')


def _last_error(log: Path, start: int) -> str:
    """Returns the line with which a command failed, or the last line of its output."""
    with log.open('rb') as file:
        file.seek(start)
        lines = [line.strip() for line in file.read().decode(errors='replace').splitlines() if line.strip()]
    said = [line.partition(ERROR)[2] for line in lines if ERROR in line]
    if said:
        return said[-1]
    return f'{re.sub(r"^.*?ERROR - ", "", lines[-1])} (see {log})' if lines else ''
