"""``mmrev complexity``: counts the parameters and FLOPs of models."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from prettytable import PrettyTable

from mmrev.complexity import Complexity, complexity

from .arguments import add_config_options
from .configs import load_config
from .running import run

COLUMNS = ('config', 'input', 'params (M)', 'trainable (M)', '+ classifier (M)', 'GFLOPs (thop)', 'GFLOPs (mmcv)')
LEGEND = """For one image. A multiply-add is one FLOP. Tables 2 and 3 of RA-Net follow thop's rule. Table 4 follows
mmcv's rule, and its parameters are the trainable ones plus those of the backbone's ImageNet classifier."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog='mmrev complexity', description='Count the parameters and FLOPs of the models in configs.'
    )
    parser.add_argument(
        'configs',
        nargs='+',
        metavar='config',
        help='config files; a config of mmrev is also found by its path below configs/',
    )
    parser.add_argument(
        '--shape',
        nargs=2,
        type=int,
        metavar=('H', 'W'),
        help='height and width of the input (default: the crop size in the config; 800 1280 for a detector)',
    )
    add_config_options(parser)
    return run(report, parser, argv)


def report(args: argparse.Namespace) -> None:
    table = PrettyTable(COLUMNS)
    table.align = 'r'
    table.align['config'] = 'l'
    for path in args.configs:
        cfg = load_config(argparse.Namespace(config=path, cfg_options=args.cfg_options), needs='model')
        table.add_row(_row(Path(cfg.filename).stem, complexity(cfg, args.shape)))
    print(f'{table}\n{LEGEND}')


def _row(name: str, found: Complexity) -> list[str]:
    params = [found.params, found.trainable, found.with_classifier]
    return [
        name,
        f'{found.shape[0]} x {found.shape[1]}',
        *('-' if count is None else f'{count / 1e6:.3f}' for count in params),
        *(f'{count / 1e9:.4f}' for count in (found.thop, found.mmcv)),
    ]
