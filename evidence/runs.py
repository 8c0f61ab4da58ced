"""Runs that are kept: one line of a CSV each. A run that is there is not run again."""

import csv
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ('stage', 'method', 'seed', 'rate', 'steps', 'seconds')


@dataclass(frozen=True)
class Run:
    """One training and its scores.

    Args:
        stage: ``'tune'`` (scored on the validation images) or ``'final'`` (scored on the test images).
        method: The name of the method.
        seed: The seed of the initial weights and of the batches.
        rate: The learning rate.
        steps: The number of steps.
        seconds: The wall-clock time of the training.
        scores: The measures in percent. A tuning run has the first alone.
    """

    stage: str
    method: str
    seed: int
    rate: float
    steps: int
    seconds: float
    scores: dict[str, float]

    @property
    def key(self) -> tuple[str, str, int, float, int]:
        return self.stage, self.method, self.seed, self.rate, self.steps


class RunLog:
    """The CSV of a study's runs.

    Args:
        path: The file. It may be missing.
        measures: The names of the scores, one column each.
    """

    def __init__(self, path: Path, measures: Sequence[str]) -> None:
        self.path, self.measures = path, measures
        self.runs = {run.key: run for run in self._read()}

    def add(self, run: Run) -> None:
        """Keeps a run. The line is on the disk when this returns."""
        new = not self.path.exists()
        with self.path.open('a', newline='') as file:
            writer = csv.writer(file, lineterminator='\n')
            if new:
                writer.writerow([*COLUMNS, *self.measures])
            scores = [f'{run.scores[name]:.4f}' if name in run.scores else '' for name in self.measures]
            writer.writerow([*run.key, run.seconds, *scores])
            file.flush()
            os.fsync(file.fileno())
        self.runs[run.key] = run

    def final(self, method: str) -> list[Run]:
        """Returns the scored runs of a method, by seed."""
        found = [run for run in self.runs.values() if run.stage == 'final' and run.method == method]
        return sorted(found, key=lambda run: run.seed)

    def _read(self) -> Iterator[Run]:
        if not self.path.exists():
            return
        with self.path.open(newline='') as file:
            for row in csv.DictReader(file):
                yield Run(
                    row['stage'],
                    row['method'],
                    int(row['seed']),
                    float(row['rate']),
                    int(row['steps']),
                    float(row['seconds']),
                    {name: float(row[name]) for name in self.measures if row[name]},
                )
