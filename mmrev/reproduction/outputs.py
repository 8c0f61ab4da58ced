"""The outputs of a training or a test in its folder: figures, files for a test server, the last error."""

import json
import re
import signal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config

from mmrev.datasets.checks import leaf_datasets
from mmrev.errors import UserError

from .experiment import Experiment
from .plan import Wanted
from .results import Result

ERROR = 'mmrev: error: '


class RowError(UserError):
    """A training or a test ended with an error."""


def redirect_submission(cfg: Config, folder: Path) -> str:
    """Lets the files for a test server go below the folder of the test. Returns their folder, or ''.

    Example:
        >>> cfg = Config(dict(test_evaluator=dict(type='CityscapesMetric', output_dir='work_dirs/x')))
        >>> redirect_submission(cfg, Path('out'))
        'out/submission'
        >>> redirect_submission(Config(), Path('out'))
        ''
    """
    evaluators = cfg.get('test_evaluator') or []
    for metric in evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]:
        if metric.get('output_dir'):
            metric['output_dir'] = str(folder / 'submission')
            return metric['output_dir']
    return ''


def read_metrics(folder: Path) -> dict[str, float]:
    """Reads the results of a test from its folder. A test server keeps them to itself."""
    files = list(folder.glob('*/*.json'))
    return json.loads(files[0].read_text()) if files else {}


def with_figure(line: Result, wanted: Wanted, measured: Mapping[str, float]) -> Result:
    """Fills the figure into a line of the CSV file.

    Args:
        line: All else of the line.
        wanted: The figure.
        measured: The results of the test.

    Raises:
        RowError: The test did not give the figure, and wrote no files for a test server.
    """
    value = measured.get(wanted.measure.key, _nothing_found(wanted.measure.key, measured))
    if value is None and not line.note:
        given = ', '.join(measured) or 'nothing'
        raise RowError(f'the test gave no {wanted.metric} ({wanted.measure.key}), only {given}')
    return replace(
        line,
        metric=wanted.metric,
        measured='' if value is None else f'{value * wanted.measure.factor:.4f}',
        printed=wanted.printed,
        tables=' '.join(wanted.tables),
    )


def _nothing_found(key: str, measured: Mapping[str, float]) -> float | None:
    # mmdet's metric says nothing where a detector finds nothing: its average precision is 0
    silent = bool(measured) and not any(name.startswith('coco/') for name in measured)
    return 0.0 if key.startswith('coco/') and silent else None


def describe_data(experiment: Experiment, name: str) -> str:
    """Says which images a training or a test reads: ``test: 100 of 233 images of CamVidDataset``."""
    found = [split for split in experiment.splits if split.name == name]
    chosen = [len(leaf.get('indices') or ()) for leaf in leaf_datasets(experiment.cfg[f'{name}_dataloader'].dataset)]
    return '; '.join(
        f'{name}: {f"{count} of " if count else ""}{split.images} images of {split.type}'
        for split, count in zip(found, chosen, strict=False)
    )


def why_it_failed(status: int, log: Path, start: int = 0) -> str:
    """Returns the line with which a command failed, the signal that killed it, or the last line of its output.

    Args:
        status: The exit status; negative for a signal.
        log: The output of the command.
        start: Where its output begins in the file.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     log = Path(folder, 'train.log')
        ...     _ = log.write_text('epoch 1\\nmmrev: error: the disk is full\\n')
        ...     why_it_failed(1, log)
        'the disk is full'
    """
    with log.open('rb') as file:
        file.seek(start)
        lines = [line.strip() for line in file.read().decode(errors='replace').splitlines() if line.strip()]
    said = [line.partition(ERROR)[2] for line in lines if ERROR in line]
    if said:
        return said[-1]
    if status < 0:
        return f'killed by {signal.Signals(-status).name}, perhaps because memory ran out: see {log}'
    last = re.sub(r'^.*?ERROR - ', '', lines[-1]) if lines else f'exit status {status}'
    return f'{last} (see {log})'
