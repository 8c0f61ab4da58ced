"""``mmrev curves``: the learning curves of a training, or of several to compare them."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmrev.engine.work_dirs import write_whole
from mmrev.errors import ConfigError
from mmrev.visualization.learning_curves import draw_curves, summary_table
from mmrev.visualization.scalars import read_scalars, scalars_csv

from .running import run

PICTURE, TABLE = 'curves.png', 'scalars.csv'


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog='mmrev curves', description='Draw the learning curves of one training, or of several to compare them.'
    )
    parser.add_argument('work_dirs', nargs='+', metavar='WORK_DIR', help='the work dir of a training')
    parser.add_argument('--names', nargs='+', help='the names of the runs (default: the names of their folders)')
    parser.add_argument('--values', nargs='+', help='what to draw, such as loss mIoU lr (default: loss and metrics)')
    parser.add_argument('--out', default=PICTURE, help=f'the picture, a PNG (default: {PICTURE})')
    parser.add_argument('--csv', action='store_true', help='also write the values of each run beside the picture')
    parser.add_argument('--force', action='store_true', help='overwrite files')
    return run(curves, parser, argv)


def curves(args: argparse.Namespace) -> None:
    names = args.names or [None] * len(args.work_dirs)
    if len(names) != len(args.work_dirs):
        raise ConfigError(f'--names has {len(names)} names for {len(args.work_dirs)} work dirs: give one for each')
    runs = [read_scalars(folder, name) for folder, name in zip(args.work_dirs, names, strict=True)]
    out = Path(args.out)
    if out.suffix.lower() != '.png':
        raise ConfigError(f'--out {out}: the picture is a PNG, so its name must end with .png')
    files = {out: draw_curves(runs, args.values)}
    for index, scalars in enumerate(runs):
        if args.csv:
            number = f'_{index + 1}' if len(runs) > 1 else ''
            files[out.with_name(f'{out.stem}{number}.csv')] = scalars_csv(scalars).encode()
    present = [str(file) for file in files if file.exists()]
    if present and not args.force:
        raise ConfigError(f'{", ".join(present)} exists already: give another --out, or --force to overwrite it')
    print(summary_table(runs))
    for file, content in files.items():
        write_whole(file, content)
        print(f'wrote {file}')


def draw_training(work_dir: str | Path, table: bool = False) -> list[Path]:
    """Draws the curves of a training into its work dir.

    Args:
        work_dir: The work dir.
        table: Also write the values as CSV.

    Returns:
        The files.

    Raises:
        DataError: The work dir has no scalars.
    """
    scalars = read_scalars(work_dir)
    files = {Path(work_dir, PICTURE): draw_curves([scalars])}
    if table:
        files[Path(work_dir, TABLE)] = scalars_csv(scalars).encode()
    for file, content in files.items():
        write_whole(file, content)
    return list(files)
