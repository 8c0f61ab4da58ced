"""``mmrev prepare``: brings a data set of the papers from its authors' archives into the layout of the configs."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmrev.errors import DataError, require_choice
from mmrev.preparation.data_sets import DATA_SETS
from mmrev.preparation.output import Output

from .running import run


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog='mmrev prepare',
        description='Bring a data set from the archives of its authors into the layout of the configs. It downloads '
        'nothing. Without a name it lists the data sets, their archives and where they are.',
    )
    parser.add_argument('data_set', nargs='?', metavar='DATASET', help=', '.join(DATA_SETS))
    parser.add_argument('--archives', default='.', help='the folder of the archives (default: this folder)')
    parser.add_argument('--data', default='data', help='the folder of all data sets (default: data)')
    parser.add_argument('--partial', action='store_true', help='accept a part of the data set: compare no counts')
    return run(prepare, parser, argv)


def prepare(args: argparse.Namespace) -> None:
    if args.data_set is None:
        return _list()
    require_choice('data set', args.data_set, DATA_SETS)
    data_set = DATA_SETS[args.data_set]
    if not Path(args.archives).is_dir():
        raise DataError(f'--archives {args.archives} is no folder: name the folder of the archives')
    archives = data_set.find(Path(args.archives))
    output = Output(Path(args.data, data_set.folder))
    data_set.prepare(archives, output)
    found = data_set.counts(output) if args.partial else data_set.check(output)
    print(f'{output.folder}: {", ".join(f"{count:,} {name}" for name, count in found.items() if count)}')
    print(f'{output.written:,} files written, {output.kept:,} were there already')
    print(f'next: mmrev check-data {data_set.config}')


def _list() -> None:
    for name, data_set in DATA_SETS.items():
        print(f'{name}: {data_set.title}, into data/{data_set.folder}')
        print('\n'.join(f'  {source}' for source in data_set.sources))
