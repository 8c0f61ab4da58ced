"""The scalars of a training, which mmengine's LocalVisBackend writes: ``<work dir>/<start>/vis_data/scalars.json``."""

import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path

from mmrev.errors import DataError

# what mmengine logs beside losses and metrics
NOT_DRAWN = ('iter', 'epoch', 'step', 'time', 'data_time', 'memory')


@dataclass
class Scalars:
    """The curves of one training.

    Args:
        name: The name of the run.
        train: Points (iteration, value) of each value of the training: losses, learning rate.
        metrics: Points of each metric of the validation.

    Example:
        >>> Scalars('baseline', {'loss': [(10, 2.0)]}, {'mIoU': [(10, 30.0), (20, 50.0)]}).best('mIoU')
        (20, 50.0)
    """

    name: str
    train: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    metrics: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def best(self, metric: str) -> tuple[int, float]:
        """Returns the iteration and the value of the highest figure of a metric."""
        return max(self.metrics[metric], key=lambda point: point[1])


def read_scalars(work_dir: str | Path, name: str | None = None) -> Scalars:
    """Reads all starts of a training. A resumed training replaces what the one before wrote after that iteration.

    Args:
        work_dir: The work dir.
        name: The name of the run; None for the name of its folder.

    Raises:
        DataError: The work dir has no scalars.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, '20261125_120000/vis_data/scalars.json')
        ...     file.parent.mkdir(parents=True)
        ...     _ = file.write_text('{"loss": 2.0, "lr": 0.1, "iter": 5, "step": 5}\\n{"mIoU": 30.0, "step": 5}\\n')
        ...     scalars = read_scalars(folder, 'mine')
        >>> scalars.train, scalars.metrics
        ({'loss': [(5, 2.0)], 'lr': [(5, 0.1)]}, {'mIoU': [(5, 30.0)]})
    """
    files = sorted(Path(work_dir).glob('*/vis_data/scalars.json'))
    scalars = Scalars(name or Path(work_dir).resolve().name)
    for file in files:
        _add_start(scalars, _lines(file))
    if not scalars.train and not scalars.metrics:
        raise DataError(
            f'{work_dir} has no scalars (<start>/vis_data/scalars.json): a training writes them if its visualizer has '
            "vis_backends=[dict(type='LocalVisBackend')] and if it has at least as many iterations as the interval of "
            'its log (default_hooks.logger.interval)'
        )
    return scalars


def _lines(file: Path) -> list[dict]:
    """Reads the lines of a file. A process that was killed may have left a part of the last line."""
    found = []
    for line in file.read_text(errors='replace').splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(row, dict) and isinstance(row.get('step'), int):
            found.append(row)
    return found


def _add_start(scalars: Scalars, rows: list[dict]) -> None:
    train = [row for row in rows if 'iter' in row]
    # with epochs, a line of the validation counts in epochs and the others in iterations
    ends = {row['epoch']: row['step'] for row in train if 'epoch' in row}
    if train:
        for points in (*scalars.train.values(), *scalars.metrics.values()):
            points[:] = [point for point in points if point[0] < train[0]['step']]
    for row in rows:
        target = scalars.train if 'iter' in row else scalars.metrics
        step = row['step'] if 'iter' in row else ends.get(row['step'], row['step'])
        for key, value in row.items():
            if key not in NOT_DRAWN and isinstance(value, (int, float)):
                target.setdefault(key, []).append((step, float(value)))


def scalars_csv(scalars: Scalars) -> str:
    """Returns the text of a CSV file: one line an iteration, one column a value. An empty cell has no value.

    Example:
        >>> print(scalars_csv(Scalars('a', {'loss': [(1, 2.0), (2, 1.5)]}, {'mIoU': [(2, 40.0)]})), end='')
        step,loss,mIoU
        1,2.0,
        2,1.5,40.0
    """
    columns = {**scalars.train, **scalars.metrics}
    table: dict[int, dict[str, float]] = {}
    for key, points in columns.items():
        for step, value in points:
            table.setdefault(step, {})[key] = value
    text = io.StringIO()
    writer = csv.DictWriter(text, ['step', *columns], lineterminator='\n')
    writer.writeheader()
    writer.writerows({'step': step, **table[step]} for step in sorted(table))
    return text.getvalue()
