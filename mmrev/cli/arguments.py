"""Options that several commands share."""

import argparse

from mmengine.config import DictAction


def config_parser(command: str, description: str) -> argparse.ArgumentParser:
    """Makes the parser of a command that reads one config.

    Example:
        >>> args = config_parser('check-data', 'Check.').parse_args(['c.py', '--cfg-options', 'model.depth=18'])
        >>> args.config, args.cfg_options
        ('c.py', {'model.depth': 18})
    """
    parser = argparse.ArgumentParser(prog=f'mmrev {command}', description=description)
    parser.add_argument('config', help='a config file; a config of mmrev is also found by its path below configs/')
    add_config_options(parser)
    return parser


def run_parser(command: str, description: str) -> argparse.ArgumentParser:
    """Makes the parser of a command that starts mmengine's Runner. It has the usual options of OpenMMLab's tools.

    Example:
        >>> run_parser('train', 'Train.').parse_args(['c.py', '--launcher', 'pytorch']).launcher
        'pytorch'
    """
    parser = config_parser(command, description)
    parser.add_argument(
        '--work-dir', help='the folder of logs and checkpoints (default: work_dirs/<name of the config>)'
    )
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='the program that started the processes (default: none, one process)',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    return parser


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--cfg-options``."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='replace values in the config: model.backbone.depth=50 a.b="[1,2]"',
    )
