"""The CSV file of all that was measured: one line for each config, seed and metric."""

import csv
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from filelock import FileLock

from mmrev.errors import DataError


@dataclass(frozen=True)
class Result:
    """One figure, and all that is needed to judge it.

    Args:
        config: The name of the config.
        seed: The seed of the training; empty for a count.
        metric: The metric, as the table calls it.
        printed: The printed figure; empty where the paper prints none.
        measured: The measured figure; empty where only a test server knows it.
        note: The folder of the files for a test server.
        tables: The tables that have this row.
        budget: The size of the run.
        weights_from: The config that trained the weights.
        checkpoint: The file with the weights.
        sha256: Its hash.
        data: The data sets, with the number of images.
        device: The device of the training.
        processes: The number of its processes.
        hours: The hours of its training.
        versions: The versions of the packages.
        commit: The git commit of mmrev, with ``-dirty`` after changes.
        options: The options that changed the configs.
        date: The time of the test, in UTC.

    Example:
        >>> Result('ran_n_r18_camvid', '0', 'mIoU', '', '51.20').key
        ('ran_n_r18_camvid', '0', 'mIoU')
    """

    config: str
    seed: str
    metric: str
    printed: str
    measured: str
    note: str = ''
    tables: str = ''
    budget: str = ''
    weights_from: str = ''
    checkpoint: str = ''
    sha256: str = ''
    data: str = ''
    device: str = ''
    processes: str = ''
    hours: str = ''
    versions: str = ''
    commit: str = ''
    options: str = ''
    date: str = ''

    @property
    def key(self) -> tuple[str, str, str]:
        """The config, the seed and the metric: a figure is measured once."""
        return self.config, self.seed, self.metric


COLUMNS = [column.name for column in fields(Result)]


class Results:
    """The figures in a CSV file. Several processes may add to it. A stop at any moment leaves it whole.

    Args:
        path: The file.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     results = Results(Path(folder, 'results.csv'))
        ...     results.add([Result('c', '0', 'mIoU', '', '51.20')])
        ...     list(results.read())
        [('c', '0', 'mIoU')]
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[tuple[str, str, str], Result]:
        """Returns the figures by their keys.

        Raises:
            DataError: The file is of another kind.
        """
        if not self.path.exists():
            return {}
        with self.path.open(newline='') as file:
            reader = csv.DictReader(file)
            if reader.fieldnames != COLUMNS:
                raise DataError(f'{self.path} has other columns than {", ".join(COLUMNS)}: move it away')
            lines = [Result(**line) for line in reader]
        return {line.key: line for line in lines}

    def add(self, lines: Iterable[Result]) -> None:
        """Adds figures. One that was there already is replaced."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_suffix('.lock')):
            merged = {**self.read(), **{line.key: line for line in lines}}
            whole = self.path.with_suffix(f'.{os.getpid()}.tmp')
            with whole.open('w', newline='') as file:
                writer = csv.DictWriter(file, COLUMNS)
                writer.writeheader()
                writer.writerows(map(asdict, merged.values()))
                file.flush()
                os.fsync(file.fileno())
            whole.replace(self.path)
