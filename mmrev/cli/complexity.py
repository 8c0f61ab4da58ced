"""Parameters and FLOPs of configs' models."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import DictAction
from prettytable import PrettyTable

from mmrev.complexity import Complexity, complexity

from .common import load_config, run

COLUMNS = ('config', 'input', 'params (M)', 'trainable (M)', '+ classifier (M)', 'GFLOPs (thop)', 'GFLOPs (mmcv)')
LEGEND = """One image; a multiply-add is one FLOP. RA-Net's tables 2 and 3 go by thop's rule, table 4 by mmcv's, and its
parameters are the trainable ones + those of the backbone's ImageNet classifier."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog='mmrev complexity', description="Count the parameters and FLOPs of configs' models."
    )
    parser.add_argument(
        'configs',
        nargs='+',
        metavar='config',
        help='config files; one of ours is also found by its path below configs/',
    )
    parser.add_argument(
        '--shape',
        nargs=2,
        type=int,
        metavar=('H', 'W'),
        help="the input's height and width; the config's crop by default, 800 1280 of a detector",
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='overrides in all configs: model.backbone.depth=50 a.b="[1,2]"',
    )
    parser.set_defaults(work_dir=None, launcher='none', local_rank=0)
    return run(report, parser, argv)


def report(args: argparse.Namespace) -> None:
    rows = []
    for path in args.configs:
        cfg = load_config(argparse.Namespace(**vars(args), config=path), needs='model')
        rows.append(_row(Path(cfg.filename).stem, complexity(cfg, args.shape)))
    table = PrettyTable(COLUMNS)
    table.align = 'r'
    table.align['config'] = 'l'
    table.add_rows(rows)
    print(f'{table}\n{LEGEND}')


def _row(name: str, found: Complexity) -> list[str]:
    params = [found.params, found.trainable, found.with_classifier]
    return [
        name,
        f'{found.shape[0]} x {found.shape[1]}',
        *('-' if n is None else f'{n / 1e6:.3f}' for n in params),
        *(f'{n / 1e9:.4f}' for n in (found.thop, found.mmcv)),
    ]
