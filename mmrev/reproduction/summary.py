"""The table at the end: printed, measured mean and spread, difference, number of runs."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prettytable import PrettyTable, TableStyle

from .experiment import Settings
from .measures import COUNTED, measure_of
from .papers import Papers, Row, Table
from .plan import Known

COLUMNS = ('row', 'config', 'metric', 'printed', 'measured', 'spread', 'difference', 'runs')
NOT_RUN, NOT_HERE, ON_SERVER = 'not run', 'not measured here', 'files for the server'
NONE = '-'


@dataclass(frozen=True)
class Line:
    """A row of the table and one of its metrics.

    Args:
        row: The row.
        metric: The metric.
        printed: The printed figure as text, or None.
        measured: The measured figures, one for each seed.
        empty: The words where nothing is measured.

    Example:
        >>> line = Line(Row('RAN-n', 'c'), 'mIoU', '48.1', (48.0, 48.4))
        >>> line.mean, round(line.spread, 3), line.cells[4:]
        (48.2, 0.283, ('48.20', '0.28', '+0.10', '2'))
        >>> Line(Row('RAN-n', 'c'), 'mIoU', '48.1', ()).cells[4:]
        ('not run', '-', '-', '0')
    """

    row: Row
    metric: str
    printed: str | None
    measured: tuple[float, ...]
    empty: str = NOT_RUN

    @property
    def mean(self) -> float | None:
        """The mean over the seeds."""
        return statistics.mean(self.measured) if self.measured else None

    @property
    def spread(self) -> float | None:
        """The standard deviation over the seeds (of a sample); None with fewer than two."""
        return statistics.stdev(self.measured) if len(self.measured) > 1 else None

    @property
    def cells(self) -> tuple[str, ...]:
        """The text of each column."""
        digits = max(2, len((self.printed or '').partition('.')[2]))
        difference = None
        if self.mean is not None and self.printed is not None:
            difference = self.mean - float(self.printed)
        return (
            self.row.method,
            self.row.config,
            self.metric,
            self.printed or NONE,
            self.empty if self.mean is None else f'{self.mean:.{digits}f}',
            NONE if self.spread is None else f'{self.spread:.{digits}f}',
            NONE if difference is None else f'{difference:+.{digits}f}',
            str(len(self.measured)),
        )


def lines_of(table: Table, known: Known, seeds: Sequence[int]) -> list[Line]:
    """Returns all lines of a table, with what is known of them."""
    return [_line(row, metric, known, seeds) for row in table.rows for metric in table.metrics]


def _line(row: Row, metric: str, known: Known, seeds: Sequence[int]) -> Line:
    counted = metric in COUNTED
    found = [known.get((row.config, seed, metric)) for seed in ([''] if counted else map(str, seeds))]
    figures = tuple(float(result.measured) for result in found if result and result.measured)
    empty = NOT_RUN
    if any(result and result.note for result in found):
        empty = ON_SERVER
    elif not counted and measure_of(metric, row.task) is None:
        empty = NOT_HERE
    return Line(row, metric, row.printed.get(metric), figures, empty)


def heading(table: Table, settings: Settings) -> str:
    """Says of which table and which experiment the figures are."""
    text = f'{table.name}: {table.dataset}. Budget {settings.explained}.'
    if settings.budget != 'paper':
        text += " This is not the paper's experiment: a difference to its figures is no finding."
    if settings.says:
        text += f' With other options than the config: {settings.says}.'
    return text


def terminal(lines: Iterable[Line]) -> str:
    """Returns a table for the terminal.

    Example:
        >>> print(terminal([Line(Row('RAN-n', 'c'), 'mIoU', '48.1', ())]).splitlines()[3])
        | RAN-n | c      | mIoU   |    48.1 |  not run |      - |          - |    0 |
    """
    return _table(lines).get_string()


def markdown(lines: Iterable[Line]) -> str:
    """Returns a table in Markdown.

    Example:
        >>> print(markdown([Line(Row('RAN-n', 'c'), 'mIoU', '48.1', ())]).splitlines()[2])
        | RAN-n | c      | mIoU   |    48.1 |  not run |      - |          - |    0 |
    """
    table = _table(lines)
    table.set_style(TableStyle.MARKDOWN)
    return table.get_string()


def _table(lines: Iterable[Line]) -> PrettyTable:
    table = PrettyTable(COLUMNS)
    table.align = 'r'
    for column in COLUMNS[:3]:
        table.align[column] = 'l'
    table.add_rows([list(line.cells) for line in lines])
    return table


def unfinished(papers: Papers, tables: Iterable[Table], seeds: Sequence[int], settings: Settings) -> list[str]:
    """Says how far the trainings are that were begun: stopped, failed, or at work in another process."""
    trainings = {papers.trained_by(row.config): None for table in tables for row in table.rows}
    states = {(name, seed): settings.run(name, seed).state() for name in trainings for seed in seeds}
    quiet = (NOT_RUN, 'trained, not tested')
    return [f'{name}, seed {seed}: {state}' for (name, seed), state in states.items() if state not in quiet]
