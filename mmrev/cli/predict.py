"""``mmrev predict``: masks, boxes or labels for the user's own pictures and videos."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from mmrev.config_files import find_config
from mmrev.engine.published import find_published
from mmrev.errors import ConfigError, DataError
from mmrev.prediction import predict as predict_images
from mmrev.prediction.predictor import open_published

from .arguments import config_parser, positive
from .configs import load_config
from .running import run


def main(argv: Sequence[str] | None = None) -> int:
    parser = config_parser(
        'predict',
        'Predict pictures and videos: masks of a segmentation model, boxes of a detector, or labels of a classifier. '
        'A run that was stopped goes on with the same command.',
    )
    parser.add_argument(
        'checkpoint',
        help='a .pth or .safetensors file of this config; a file that holds code is refused. Leave it out if the '
        'config is a published model: a folder of `mmrev publish`, or the .safetensors file in it',
    )
    parser.add_argument(
        'images', nargs='*', help="pictures, videos, folders with their sub-folders, or patterns ('photos/**/*.jpg')"
    )
    parser.add_argument(
        '--out', type=Path, default=Path('predictions'), help='the folder to write into (default: predictions)'
    )
    parser.add_argument(
        '--batch-size', type=positive, default=1, help='pictures of one size that the model gets at once (default: 1)'
    )
    parser.add_argument('--device', help='such as cpu or cuda:1 (default: a GPU if there is one)')
    parser.add_argument('--no-overlays', action='store_true', help='do not draw the predictions over the pictures')
    parser.add_argument('--opacity', type=float, default=0.5, help='of masks over the pictures, 0 to 1 (default: 0.5)')
    parser.add_argument(
        '--score-thr', type=float, default=0.3, help='the lowest score of a box that is drawn (default: 0.3)'
    )
    parser.add_argument(
        '--probabilities', action='store_true', help='write the probability of every class (NumPy files, or columns)'
    )
    parser.add_argument('--every', type=positive, default=1, help='predict every N-th frame of a video (default: 1)')
    parser.add_argument('--force', action='store_true', help='predict all pictures anew, and overwrite files')
    return run(predict, parser, argv)


def predict(args: argparse.Namespace) -> None:
    if _is_published(args.config):
        cfg, checkpoint = open_published(args.config, args.cfg_options)
        images = [args.checkpoint, *args.images]
    else:
        cfg, checkpoint, images = load_config(args, needs='test_dataloader'), args.checkpoint, args.images
    if not images:
        raise DataError('there is nothing to predict: name pictures, videos or folders after the checkpoint')
    report = predict_images(
        cfg,
        checkpoint,
        images,
        args.out,
        batch_size=args.batch_size,
        device=args.device,
        every=args.every,
        force=args.force,
        tell=lambda problem: tqdm.write(f'mmrev: problem: {problem}', file=sys.stderr),
        overlays=not args.no_overlays,
        opacity=args.opacity,
        score_thr=args.score_thr,
        probabilities=args.probabilities,
    )
    print(f'{report}: {", ".join(path.name for path in report.files)}')
    if report.problems:
        raise DataError(f'{len(report.problems)} of the inputs failed, see above; the rest is done')


def _is_published(path: str) -> bool:
    """Whether an argument is a published model. A folder that has none is one too, if no config has its name."""
    if find_published(path):
        return True
    if not Path(path).is_dir():
        return False
    try:
        find_config(path)
    except ConfigError:
        return True
    return False
