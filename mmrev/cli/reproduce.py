"""``mmrev reproduce``: trains and tests what is missing of a paper's tables, and compares it with what is printed."""

import argparse
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from mmrev.config_files import config_root, read_config
from mmrev.errors import ConfigError, UserError
from mmrev.reproduction import provenance
from mmrev.reproduction.budgets import BUDGETS, MADE_UP
from mmrev.reproduction.commands import like_ctrl_c
from mmrev.reproduction.experiment import Settings
from mmrev.reproduction.measures import count
from mmrev.reproduction.papers import Papers, Table, read_papers
from mmrev.reproduction.plan import Task, missing_counts, plan
from mmrev.reproduction.results import Result, Results
from mmrev.reproduction.summary import Line, heading, lines_of, markdown, terminal, unfinished

from .arguments import add_config_options
from .one_line_errors import explain
from .predict_options import positive
from .running import run

if TYPE_CHECKING:  # it needs a stack
    from .reproduce_job import Outcome

GOES_ON = '(the same command goes on)'


def main(argv: Sequence[str] | None = None) -> int:
    return run(reproduce, make_parser(), argv)


def make_parser() -> argparse.ArgumentParser:
    """Makes the parser of the command.

    Example:
        >>> make_parser().parse_args(['ran/2', '--seeds', '0', '1']).seeds
        [0, 1]
    """
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        prog='mmrev reproduce',
        description='Train and test what is missing of the tables of a paper, and set it beside the printed figures. '
        'The same command goes on after a stop.',
    )
    parser.add_argument('targets', nargs='+', metavar='TARGET', help='a table (ran/2), a paper (ran), a config, or all')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2], help='the seeds (default: 0 1 2)')
    parser.add_argument(
        '--budget',
        choices=list(BUDGETS),
        default='paper',
        help='; '.join(f'{name}: {says}' for name, says in BUDGETS.items()) + ' (default: paper)',
    )
    parser.add_argument('--made-up-data', action='store_true', help=f'with --budget tiny: {MADE_UP}')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/reproduce'), help='the folder of all that is '
                        'written (default: work_dirs/reproduce)')  # fmt: skip
    parser.add_argument('--data-root', help='the folder with the data sets (default: data)')
    parser.add_argument('--gpus', type=positive, default=0, help='the GPUs of a training (default: one process)')
    parser.add_argument('--dry-run', action='store_true', help='show what would be done, and do nothing')
    parser.add_argument('--status', action='store_true', help='show the tables as they are, and do nothing')
    parser.add_argument('--executor', choices=['none', 'local', 'slurm'], default='none', help='run in this process, '
                        'or as jobs of submitit on this machine or of Slurm (default: none)')  # fmt: skip
    parser.add_argument('--jobs', type=positive, help='the jobs at a time (default: 1 here, all in Slurm)')
    parser.add_argument('--executor-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='for submitit: '
                        'slurm_partition=gpu timeout_min=1440 cpus_per_task=8 ...')  # fmt: skip
    add_config_options(parser)
    return parser


def reproduce(args: argparse.Namespace) -> None:
    papers = read_papers(config_root())
    tables = papers.select(args.targets)
    args.seeds = list(dict.fromkeys(args.seeds))
    settings = _settings(args)
    results = Results(settings.folder / 'results.csv')
    _require_same_options(results, settings)
    if args.status:
        return report(papers, tables, args.seeds, settings, results)
    tasks = plan(papers, tables, args.seeds, results.read(), settings)
    if args.dry_run:
        return print(describe(tasks, papers, tables, settings, results))
    try:
        with like_ctrl_c():
            failures = count_all(papers, tables, settings, results)
            outcomes = _run(tasks, settings, args)
    except KeyboardInterrupt as stop:
        report(papers, tables, args.seeds, settings, results)
        raise KeyboardInterrupt(str(stop) or GOES_ON) from None
    report(papers, tables, args.seeds, settings, results)
    failures += [failure for outcome in outcomes for failure in outcome.failures]
    if failures:
        raise UserError(f'{len(failures)} failed, the first: {failures[0]}. The same command tries again')
    left = [outcome.left_out for outcome in outcomes if outcome.left_out]
    if left:
        raise UserError(f'not everything is done, {len(left)} left to others: {left[0]}. The same command goes on')


def _settings(args: argparse.Namespace) -> Settings:
    if args.made_up_data and args.budget != 'tiny':
        raise ConfigError(f'--made-up-data goes with --budget tiny, not with {args.budget}')
    return Settings(
        out=args.out.absolute(),
        budget=args.budget,
        data_root=args.data_root and str(Path(args.data_root).absolute()),
        gpus=args.gpus,
        options=args.cfg_options or {},
        made_up_data=args.made_up_data,
    )


def _run(tasks: list[Task], settings: Settings, args: argparse.Namespace) -> 'list[Outcome]':
    if not tasks:
        print('nothing is missing')
        return []
    from .reproduce_executors import EXECUTORS, Bars  # needs a stack

    with Bars(settings, len(tasks)).shown() as bars:
        return EXECUTORS[args.executor](tasks, settings, bars, args)


def _require_same_options(results: Results, settings: Settings) -> None:
    others = {line.options for line in results.read().values()} - {settings.says}
    if others:
        raise ConfigError(
            f'{results.path} holds figures with other --cfg-options ({others.pop() or "none"}): choose another --out'
        )


def describe(tasks: list[Task], papers: Papers, tables: list[Table], settings: Settings, results: Results) -> str:
    """Returns the plan as text: each training with its state, and its tests."""
    lines = [f'trainings: {len(tasks)}, budget {settings.explained}']
    for task in tasks:
        after = f', after {", ".join(task.after)}' if task.after else ''
        lines.append(f'{task}: {settings.run(task.config, task.seed).state()}{after}')
        lines += [f'  test {name}' for name in task.tests]
    counts = missing_counts(tables, results.read())
    lines += [f'count the parameters and FLOPs of {config}' for config in counts]
    return '\n'.join(lines)


def count_all(papers: Papers, tables: list[Table], settings: Settings, results: Results) -> list[str]:
    """Counts the parameters and FLOPs that the tables print. Returns the failures."""
    failures = []
    for config, places in missing_counts(tables, results.read()).items():
        metrics = list(dict.fromkeys(metric for _, _, metric in places))
        try:
            figures = count(read_config(papers.configs[config], dict(settings.options)), metrics)
        except Exception as error:
            line = explain(error)
            if line is None:
                raise
            failures.append(f'count of {config}: {line}')
            continue
        results.add(_counted(config, table, row.printed[metric] or '', metric, figures[metric], settings)
                    for table, row, metric in places)  # fmt: skip
    return failures


def _counted(config: str, table: Table, printed: str, metric: str, figure: float, settings: Settings) -> Result:
    return Result(
        config=config,
        seed='',
        metric=metric,
        printed=printed,
        measured=f'{figure:.4f}',
        tables=table.name,
        budget='any: counted, not trained',
        versions=provenance.versions(),
        commit=provenance.commit(),
        options=settings.says,
        date=datetime.now(timezone.utc).isoformat(timespec='seconds'),
    )


def report(papers: Papers, tables: list[Table], seeds: Sequence[int], settings: Settings, results: Results) -> None:
    """Prints the tables, and writes each as Markdown and as a picture."""
    known = results.read()
    for table in tables:
        rows = lines_of(table, known, seeds)
        head = heading(table, settings)
        print(f'\n{head}\n{terminal(rows)}')
        stem = settings.folder / 'tables' / table.name.replace('/', '_').replace(' ', '_')
        stem.parent.mkdir(parents=True, exist_ok=True)
        stem.with_suffix('.md').write_text(f'{head}\n\n{markdown(rows)}\n')
        _draw(stem.with_suffix('.png'), rows, head)
    for line in unfinished(papers, tables, seeds, settings):
        print(line)
    print(f'tables: {settings.folder / "tables"}   figures: {results.path}')


def _draw(path: Path, lines: Sequence[Line], title: str) -> None:
    from mmrev.visualization.table_figure import Point, draw_table

    panels: dict[str, list[Point]] = {}
    for line in lines:
        printed = float(line.printed) if line.printed else None
        point = Point(line.row.method, printed, line.measured, line.spread, line.empty)
        panels.setdefault(line.metric, []).append(point)
    draw_table(path, panels, title)
