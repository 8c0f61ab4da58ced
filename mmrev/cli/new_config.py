"""``mmrev new-config``: a config for the user's own images and annotations."""

import argparse
import contextlib
import io
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tqdm import tqdm

from mmrev.config_files import read_config
from mmrev.datasets.checks import check_data
from mmrev.own_data import Request, new_config
from mmrev.own_data.methods import BACKBONES, METHODS

from .predict_options import positive
from .running import run


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog='mmrev new-config',
        description='Look at your images and annotations, and write a config for them. Masks of labels or colours, '
        "COCO's JSON, LabelMe's JSON and YOLO's text files are recognised. Your files are not changed.",
    )
    parser.add_argument('--images', type=Path, required=True, help='the folder of images')
    parser.add_argument(
        '--masks', type=Path, required=True, help='the folder of masks, JSON or text files; or a JSON file of COCO'
    )
    parser.add_argument('--out', type=Path, required=True, help='the config to write, such as my.py')
    parser.add_argument(
        '--classes', default='auto', help='a file with the names of the classes (default: auto, from the annotations)'
    )
    _add_model(parser)
    _add_data(parser)
    parser.add_argument('--no-quick', action='store_true', help='leave out the two iterations that try the config')
    parser.add_argument('--force', action='store_true', help='overwrite the config and the folder of an earlier run')
    return run(make, parser, argv)


def _add_model(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('model and training')
    group.add_argument('--task', choices=['segmentation', 'detection'], help='(default: what the annotations are for)')
    group.add_argument('--method', choices=list(METHODS), help='(default: ran_n; ra in detection)')
    group.add_argument('--backbone', choices=list(BACKBONES), default='r50', help='a ResNet (default: r50)')
    group.add_argument('--weights', default='imagenet', help='of the backbone: imagenet (default), none, or a file')
    group.add_argument(
        '--size', type=_side, default=512, help='the short side of the images, and the crops (default: 512)'
    )
    group.add_argument('--iters', type=positive, default=4000, help='the length of the training (default: 4000)')
    group.add_argument('--batch-size', type=positive, help='images a step (default: 4; 2 in detection)')


def _add_data(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('data')
    group.add_argument(
        '--ignore', nargs='+', default=[], metavar='VALUE', help="labels or colours without a class: 0, or '#ff00ff'"
    )
    group.add_argument('--splits', type=Path, help='a folder with train.txt, val.txt and perhaps test.txt')
    group.add_argument('--val-share', type=float, default=0.2, help='of a validation that is made (default: 0.2)')
    group.add_argument(
        '--group-by',
        default='',
        metavar='SEPARATOR',
        help='keep images together whose names up to the last one are equal',
    )
    group.add_argument('--seed', type=int, default=0, help='of the split (default: 0)')
    group.add_argument(
        '--data-out',
        type=Path,
        help='the folder for converted annotations and lists (default: <config>_data beside it)',
    )


def _side(text: str) -> int:
    if (side := int(text)) < 32:
        raise argparse.ArgumentTypeError(f'{text}: expected 32 pixels or more')
    return side


def make(args: argparse.Namespace) -> None:
    options = {key: value for key, value in vars(args).items() if key not in ('classes', 'no_quick')}
    made = new_config(Request(**options, classes=None if args.classes == 'auto' else Path(args.classes)), _track)
    print('\n'.join(made.notes))
    print(f'config: {made.config} ({made.lines} lines)', flush=True)
    cfg = read_config(made.config)
    tested = () if cfg.test_dataloader == cfg.val_dataloader else ('test',)
    with contextlib.redirect_stdout(io.StringIO()):  # COCO's own code tells what it does
        splits = check_data(cfg, ('train', 'val', *tested), samples=None)
    print('\n'.join(f'check-data: {split}' for split in splits), flush=True)
    if not args.no_quick:
        _try(cfg)
    print(f'\ntrain:    {made.train}\npredict:  {made.predict}')


def _try(cfg) -> None:
    from mmrev.testing import quick_config, run_quick  # needs mmcv

    with tempfile.TemporaryDirectory(prefix='mmrev_quick_') as folder:
        quick = quick_config(cfg, Path(folder, 'data'))
        quick.log_level = 'ERROR'
        with contextlib.redirect_stdout(io.StringIO()):
            run_quick(quick, Path(folder, 'work_dir'))
    print('quick run: passed (2 iterations, validation, saving and loading, on made-up data)')


def _track(items: Iterable, what: str) -> Iterable:
    return tqdm(items, desc=what, leave=False, disable=not sys.stderr.isatty())
