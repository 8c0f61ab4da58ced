"""The tables of the papers, read from each ``metafile.yml``: the one place that holds the printed figures."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from mmrev.errors import ConfigError

UNPRINTED = 'null'
# Configs without a row of a paper are scored by this metric.
DEFAULT_METRICS = ('mIoU',)


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Args:
        method: The method as the paper calls it.
        config: The name of the config.
        task: The task, as in OpenMMLab's model index.
        printed: The printed figure of each metric as text, or None where the paper prints none.

    Example:
        >>> Row('RAN-n', 'ran_n_r101_crf_pcontext', printed={'mIoU': '48.1'}).printed
        {'mIoU': '48.1'}
    """

    method: str
    config: str
    task: str = 'Semantic Segmentation'
    printed: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table of a paper.

    Args:
        name: Its name, such as ``ran/2``.
        dataset: The data set, in words.
        metrics: Its metrics.
        test_flags: The options of ``mmrev test`` for its rows.
        rows: Its rows.

    Example:
        >>> Table('ran/2', metrics=('mIoU',)).name
        'ran/2'
    """

    name: str
    dataset: str = ''
    metrics: tuple[str, ...] = DEFAULT_METRICS
    test_flags: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Papers:
    """All tables of all papers, and the configs under their names.

    Args:
        tables: The tables by name. The configs without a row stand in ``<paper>/other``.
        configs: The file of each config by its name.
        weights_from: The config that trains the weights, for each config that only tests.

    Example:
        >>> from mmrev.config_files import config_root
        >>> papers = read_papers(config_root())
        >>> len(papers.tables['ran/2'].rows), papers.trained_by('ran_n_r101_crf_pcontext')
        (20, 'ran_n_r101_pcontext')
    """

    tables: dict[str, Table]
    configs: dict[str, Path]
    weights_from: dict[str, str]

    def trained_by(self, config: str) -> str:
        """Returns the name of the config that trains the weights of a config."""
        return self.weights_from.get(config, config)

    def rows_of(self, config: str) -> list[tuple[Table, Row]]:
        """Returns all rows that a config is."""
        return [(table, row) for table in self.tables.values() for row in table.rows if row.config == config]

    def select(self, targets: Sequence[str]) -> list[Table]:
        """Returns the tables that the targets name, with the rows that they name.

        Args:
            targets: Names of tables (``ran/2``), papers (``ran``) and configs, or ``all``.

        Raises:
            ConfigError: A name is unknown.
        """
        chosen: dict[str, set[str]] = {}
        for target in targets:
            for table, config in self._find(target):
                chosen.setdefault(table, set()).add(config)
        return [
            replace(table, rows=tuple(row for row in table.rows if row.config in chosen[name]))
            for name, table in self.tables.items()
            if name in chosen
        ]

    def _find(self, target: str) -> Iterator[tuple[str, str]]:
        wanted = target.removeprefix('configs/').removesuffix('.py').rstrip('/')
        found = [
            (table.name, row.config)
            for table in self.tables.values()
            for row in table.rows
            if wanted in ('all', table.name, _paper(table.name), row.config, f'{_paper(table.name)}/{row.config}')
        ]
        if not found:
            known = [*self.tables, *{_paper(name) for name in self.tables}, *self.configs]
            close = difflib.get_close_matches(wanted, known, 1)
            raise ConfigError(
                f'unknown table, paper or row {target!r}: give a table ({", ".join(list(self.tables)[:2])} ...), '
                f'a paper ({", ".join(sorted({_paper(name) for name in self.tables}))}), the name of a config, or all'
                + (f'. Did you mean {close[0]}?' if close else '')
            )
        yield from found


def read_papers(root: Path) -> Papers:
    """Reads the metafiles of all papers.

    Args:
        root: The folder of the configs.

    Raises:
        ConfigError: There is no metafile.
    """
    files = sorted(root.glob('*/metafile.yml'))
    if not files:
        raise ConfigError(f'no metafile.yml below {root}: install mmrev again, the papers are described there')
    tables: dict[str, Table] = {}
    configs: dict[str, Path] = {}
    weights_from: dict[str, str] = {}
    for file in files:
        # every value stays text, so that a figure keeps its digits
        content = yaml.load(file.read_text(), yaml.BaseLoader)
        for model in content['Models']:
            configs[model['Name']] = root.parent / model['Config']
            if 'Weights From' in model:
                weights_from[model['Name']] = model['Weights From']
        tables.update({table.name: table for table in _tables(file.parent.name, content)})
    return Papers(tables, configs, weights_from)


def _tables(paper: str, content: dict) -> Iterator[Table]:
    results = [(model['Name'], row) for model in content['Models'] for row in model.get('Results', ())]
    for table in content['Tables']:
        yield Table(
            table['Table'],
            table['Dataset'],
            tuple(table['Metrics']),
            tuple(table.get('Test', ())),
            tuple(_row(name, row) for name, row in results if row['Paper table'] == table['Table']),
        )
    others = tuple(Row(model['Name'], model['Name']) for model in content['Models'] if not model.get('Results'))
    if others:
        yield Table(f'{paper}/other', 'configs that are no row of the paper', rows=others)


def _row(config: str, row: dict) -> Row:
    variant = row.get('Variant')
    return Row(
        f'{row["Method"]}, {variant}' if variant else row['Method'],
        config,
        row['Task'],
        {metric: None if figure == UNPRINTED else figure for metric, figure in row['Metrics'].items()},
    )


def _paper(table: str) -> str:
    return table.partition('/')[0]
