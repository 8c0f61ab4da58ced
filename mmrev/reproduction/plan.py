"""Which trainings, tests and counts are missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .experiment import Settings, needs
from .measures import COUNTED, Measure, measure_of
from .papers import Papers, Row, Table
from .results import Result

Known = dict[tuple[str, str, str], Result]


@dataclass(frozen=True)
class Wanted:
    """A figure that a test of a config gives.

    Args:
        metric: The metric, as the tables call it.
        measure: How it is measured.
        flags: The options of the test.
        printed: The printed figure as text; empty where the paper prints none.
        tables: The tables that have it.
    """

    metric: str
    measure: Measure
    flags: tuple[str, ...]
    printed: str
    tables: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """A training with a seed, and the configs that are tested on its weights.

    Args:
        config: The name of the config that trains.
        seed: The seed.
        tests: The names of the configs whose figures are missing.
        after: The names of the configs whose weights the training starts from.

    Example:
        >>> print(Task('ran_n_r101_pcontext', 0, ('ran_n_r101_pcontext', 'ran_n_r101_crf_pcontext')))
        ran_n_r101_pcontext, seed 0
    """

    config: str
    seed: int
    tests: tuple[str, ...]
    after: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f'{self.config}, seed {self.seed}'


def wanted(papers: Papers, config: str) -> list[Wanted]:
    """Returns all figures that tests of a config give, for all tables that it stands in.

    Example:
        >>> from mmrev.config_files import config_root
        >>> from mmrev.reproduction.papers import read_papers
        >>> [each.metric for each in wanted(read_papers(config_root()), 'ran_n_r101_crf_pcontext')]
        ['aAcc', 'mAcc', 'mIoU']
    """
    found: dict[str, Wanted] = {}
    for table, row in papers.rows_of(config):
        for metric in table.metrics:
            measure = measure_of(metric, row.task)
            if measure:
                before = found.get(metric)
                found[metric] = Wanted(
                    metric,
                    measure,
                    table.test_flags,
                    row.printed.get(metric) or (before.printed if before else ''),
                    (*(before.tables if before else ()), table.name),
                )
    return list(found.values())


def missing(papers: Papers, config: str, seed: int, known: Known) -> list[Wanted]:
    """Returns the figures of a config and a seed that are not known yet."""
    return [each for each in wanted(papers, config) if (config, str(seed), each.metric) not in known]


def plan(papers: Papers, tables: Iterable[Table], seeds: Sequence[int], known: Known, settings: Settings) -> list[Task]:
    """Returns the trainings with missing figures, each after those that it starts from. Shared weights train once."""
    tests: dict[str, dict[str, None]] = {}  # a dict keeps the order of the tables
    for table in tables:
        for row in table.rows:
            tests.setdefault(papers.trained_by(row.config), {})[row.config] = None
    tasks: dict[tuple[str, int], Task] = {}
    for seed in seeds:
        for config, rows in tests.items():
            names = tuple(name for name in rows if missing(papers, name, seed, known))
            if names:
                _add(Task(config, seed, names), tasks, papers, settings)
    return list(tasks.values())


def _add(task: Task, tasks: dict[tuple[str, int], Task], papers: Papers, settings: Settings) -> None:
    after = tuple(needs(papers, task.config, settings))
    for config in after:
        if (config, task.seed) not in tasks and not settings.run(config, task.seed).trained():
            _add(Task(config, task.seed, ()), tasks, papers, settings)
    earlier = tasks.get((task.config, task.seed))
    tasks[task.config, task.seed] = Task(
        task.config, task.seed, task.tests or (earlier.tests if earlier else ()), after
    )


def missing_counts(tables: Iterable[Table], known: Known) -> dict[str, list[tuple[Table, Row, str]]]:
    """Returns the counts that are not known yet, by config: parameters and FLOPs. They need no training.

    One name has one rule for each config: no config stands in two tables that count by different rules.
    """
    found: dict[str, list[tuple[Table, Row, str]]] = {}
    for table in tables:
        for row in table.rows:
            for metric in table.metrics:
                if metric in COUNTED and (row.config, '', metric) not in known:
                    found.setdefault(row.config, []).append((table, row, metric))
    return found
