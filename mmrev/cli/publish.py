"""``mmrev publish``: a folder with a trained model that others can load."""

import argparse
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from mmrev.publishing import publish as publish_model

from .running import run


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog='mmrev publish',
        description='Write a folder with the weights of a trained model (safetensors), its config and a model card. '
        '`mmrev predict FOLDER photos/` uses it, and a hub of models takes it as it is.',
    )
    parser.add_argument('config', nargs='?', help='its config (default: the one that the checkpoint holds)')
    parser.add_argument('checkpoint', help='a .pth file; a file that holds code is refused')
    parser.add_argument('--out', type=Path, required=True, help='the folder to write')
    parser.add_argument('--name', help="the model's name (default: that of the checkpoint's folder and file)")
    parser.add_argument('--license', default='unknown', help='the license of the weights, such as apache-2.0')
    parser.add_argument('--datasets', nargs='+', help='the data sets of the training (default: those in the config)')
    parser.add_argument(
        '--metrics', nargs='+', type=metric, default=[], metavar='NAME=VALUE', help='measured scores, such as mIoU=61.2'
    )
    parser.add_argument('--force', action='store_true', help='replace the folder of an earlier call')
    return run(publish, parser, argv)


def publish(args: argparse.Namespace) -> None:
    done = publish_model(
        args.checkpoint,
        args.config,
        args.out,
        name=args.name,
        license=args.license,
        datasets=args.datasets,
        metrics=dict(args.metrics),
        force=args.force,
    )
    print(done.line)
    print(f'published: {done.file}\nSHA-256: {done.sha256}')
    print(f'try it: mmrev predict {done.folder} <your pictures>')


def metric(text: str) -> tuple[str, float]:
    """Reads NAME=VALUE, as the ``type`` of an argument.

    Raises:
        argparse.ArgumentTypeError: It is no name and number.

    Example:
        >>> metric('mIoU=61.2')
        ('mIoU', 61.2)
    """
    name, _, value = text.partition('=')
    try:
        number = float(value)
    except ValueError:
        number = float('nan')
    if not name or not isfinite(number):
        raise argparse.ArgumentTypeError(f'{text}: expected a name and a number, such as mIoU=61.2')
    return name, number
