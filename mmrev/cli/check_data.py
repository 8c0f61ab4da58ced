"""``mmrev check-data``: reads all images and masks of a config."""

import argparse
from collections.abc import Sequence

from mmrev.datasets.checks import check_data

from .arguments import config_parser
from .configs import load_config
from .running import run


def main(argv: Sequence[str] | None = None) -> int:
    parser = config_parser('check-data', 'Read every image and mask of the data sets in a config.')
    return run(check, parser, argv)


def check(args: argparse.Namespace) -> None:
    for split in check_data(load_config(args), splits=('train', 'val', 'test'), samples=None):
        print(split)
        if split.histogram:
            print(f'  pixels: {split.histogram}')
        if split.note:
            print(f'  note: {split.note}')
