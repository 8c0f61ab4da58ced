"""``mmrev predict``: masks, boxes or labels for the user's own pictures and videos."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmrev.config_files import find_config
from mmrev.engine.published import find_published
from mmrev.errors import ConfigError, DataError
from mmrev.prediction import predict as predict_images
from mmrev.prediction.predictor import open_published

from .arguments import config_parser
from .configs import load_config
from .predict_options import add_options, options_of, tell
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
    add_options(parser, least_images='*')  # without a checkpoint, its place holds the first picture
    parser.add_argument('--device', help='such as cpu or cuda:1 (default: a GPU if there is one)')
    parser.add_argument(
        '--score-thr', type=float, default=0.3, help='the lowest score of a box that is drawn (default: 0.3)'
    )
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
        cfg, checkpoint, images, args.out, device=args.device, tell=tell, score_thr=args.score_thr, **options_of(args)
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
