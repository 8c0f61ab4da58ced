"""Predictions for many pictures, written into a folder. A run that was stopped goes on where it ended."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from mmrev.errors import ConfigError, DataError
from mmrev.version import __version__

from .classes import Classes
from .files import FullDiskError
from .journal import Journal
from .names import shown
from .progress import progress_bar
from .results import Prediction
from .sources import Source, find_sources, frame_count, frames
from .tasks import TASKS, Options, Task


@dataclass
class Report:
    """The result of a run.

    Args:
        out: The folder of the predictions.
        done: The number of pictures and frames that this run predicted.
        kept: The number of those that an earlier run had predicted.
        problems: A line for each picture that could not be predicted.
        files: The tables and videos.

    Example:
        >>> print(Report(Path('predictions'), done=38, kept=2))
        38 predicted, 2 kept from an earlier run, in predictions
    """

    out: Path
    done: int = 0
    kept: int = 0
    problems: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)

    def __str__(self) -> str:
        kept = f', {self.kept} kept from an earlier run' if self.kept else ''
        failed = f', {len(self.problems)} failed' if self.problems else ''
        return f'{self.done} predicted{kept}{failed}, in {shown(self.out)}'


class Model(Protocol):
    """A model that predicts pictures.

    Args:
        task: One of ``TASKS``.
        classes: Its classes.
        identity: What makes its predictions its own, for the record in the folder.
    """

    task: str
    classes: Classes
    identity: dict[str, str]

    def stream(self, sources: Iterable[Source], batch_size: int = 1) -> Iterator[tuple[Source, Prediction | DataError]]:
        """Yields the prediction for each source, or the reason why there is none."""
        ...


def predict_into(
    out: str | Path,
    images: str | Path | Iterable[str | Path],
    load: Callable[[], Model],
    checkpoint: str,
    *,
    batch_size: int = 1,
    every: int = 1,
    force: bool = False,
    progress: bool = True,
    tell: Callable[[str], None] | None = None,
    **options: bool | float,
) -> Report:
    """Predicts pictures and videos with any model, and writes the predictions into a folder.

    Args:
        out: The folder.
        images: As in :func:`mmrev.predict`, and so are the further arguments.
        load: Returns the model. It is called when there is something to predict.
        checkpoint: The name of the model's file.
    """
    inputs = [images] if isinstance(images, (str, os.PathLike)) else list(images)
    sources, missing = find_sources(inputs, leave_out=Path(out))
    chosen = Options(**options)  # type: ignore[arg-type]  # a wrong name raises TypeError, as for any function
    if not 0 <= chosen.opacity <= 1 or batch_size < 1 or every < 1:
        raise ConfigError('expected an opacity from 0 to 1, a batch_size of at least 1, and every of at least 1')
    model = load()
    task = TASKS[model.task](model.classes, chosen, Path(out))
    notes = dict(mmrev=__version__, checkpoint=checkpoint, classes=list(model.classes.names))
    journal = Journal(Path(out), dict(mmrev='predictions', notes=notes, **model.identity, **vars(chosen)), force)
    run = _Run(task, journal, sources, Report(Path(out)), every, force, tell, len(sources) + len(missing))
    for problem in missing:
        run.fail(problem)
    return run.run(model, batch_size, progress)


@dataclass
class _Run:
    task: Task
    journal: Journal
    sources: Sequence[Source]
    report: Report
    every: int
    force: bool
    tell: Callable[[str], None] | None
    inputs: int

    def run(self, model: Model, batch_size: int, progress: bool) -> Report:
        total = sum(frame_count(source, self.every) if source.is_video else 1 for source in self.sources)
        self._require_free_names()
        with progress_bar(total, progress) as bar:
            try:
                for source, result in model.stream(self._to_do(bar), batch_size):
                    self._take(source, result)
                    bar.update()
            except KeyboardInterrupt:
                raise KeyboardInterrupt(f'after {self.report.done} images: the same command goes on') from None
            finally:
                with suppress(FullDiskError):  # the first one is on its way
                    self._write_tables()
        if self.inputs == 1 and self.report.problems and not self.report.done:
            raise DataError(self.report.problems[0])
        return self.report

    def fail(self, problem: str) -> None:
        self.report.problems.append(problem)
        if self.tell and self.inputs > 1:
            self.tell(problem)

    def _take(self, source: Source, result: Prediction | DataError) -> None:
        if isinstance(result, DataError):
            self.fail(str(result))
            return
        try:
            self.journal.begin(source.name)
            row = self.task.write(source.name, result)
            height, width = result.picture.shape[:2]
            self.journal.add(
                dict(name=source.name, image=source.title, stamp=_stamp(source), width=width, height=height, **row)
            )
        except FullDiskError:
            raise
        except DataError as problem:
            self.fail(str(problem))
            return
        self.report.done += 1

    def _to_do(self, bar: Any) -> Iterator[Source]:
        """Yields the pictures and frames that are not done."""
        for source in self.sources:
            if not source.is_video:
                if self._is_done(source.name):
                    self.report.kept += 1
                    bar.update()
                else:
                    yield source
                continue
            done = [name for name in self.journal.rows if _is_of(name, source) and self._is_done(name)]
            self.report.kept += len(done)
            bar.update(len(done))
            try:
                yield from frames(source, self.every, done)
            except DataError as problem:
                self.fail(str(problem))

    def _is_done(self, name: str) -> bool:
        return name in self.journal.rows and all(file.exists() for file in self.task.files(name))

    def _require_free_names(self) -> None:
        """Checks that nothing would be overwritten. With ``force``, all that is asked for is to be done anew."""
        for source in self.sources:
            names = [name for name in self.journal.rows if _is_of(name, source)]
            if self.force:
                self.journal.forget([source.name, *names])
            elif any(self.journal.rows[name]['stamp'] != _stamp(source) for name in names):
                raise DataError(
                    f'{shown(source.path)}: the prediction {shown(source.name)} is of another picture, or the picture '
                    'has changed. Name another folder with --out, or overwrite it with --force'
                )
            taken = [file for file in self._files(source) if file.exists()]
            if taken and not self.force and not any(_is_of(name, source) for name in self.journal.begun):
                raise DataError(
                    f'{shown(taken[0])} exists: name another folder with --out, or overwrite it with --force'
                )
        if self.task.table.exists() and not (self.force or self.journal.begun):
            raise DataError(f'{shown(self.task.table)} exists: name another folder with --out, or use --force')

    def _files(self, source: Source) -> list[Path]:
        if not source.is_video:
            return self.task.files(source.name)
        return [self._video(source), *(file.with_suffix('') for file in self.task.files(source.name))]

    def _video(self, source: Source) -> Path:
        return self.report.out / 'videos' / f'{source.name}.mp4'

    def _write_tables(self) -> None:
        if self.journal.rows:
            self.report.files = self.task.write_table(self.journal.rows.values())
        for source in self.sources:
            pictures = [self.task.overlay(name) for name in self.journal.rows if _is_of(name, source)]
            pictures = [picture for picture in sorted(pictures) if picture.exists()]
            if source.is_video and pictures:
                from .video import write_video  # it needs OpenCV

                write_video(self._video(source), pictures, source, self.every)
                self.report.files.append(self._video(source))


def _is_of(name: str, source: Source) -> bool:
    return name == source.name or (source.is_video and name.startswith(f'{source.name}/'))


def _stamp(source: Source) -> list:
    return [os.path.abspath(source.path), os.path.getsize(source.path) if source.path.exists() else 0]
