"""Reads all of a config's images and masks."""

import argparse
from collections.abc import Sequence

from mmrev.datasets.checks import check_data

from .common import config_parser, load_config, run


def main(argv: Sequence[str] | None = None) -> int:
    parser = config_parser('check-data', "Read every image and mask of a config's data sets.", runs=False)
    return run(check, parser, argv)


def check(args: argparse.Namespace) -> None:
    for split in check_data(load_config(args), splits=('train', 'val', 'test'), samples=None):
        print(split)
        if split.histogram:
            print(f'  pixels: {split.histogram}')
