"""``mmrev predict``: masks, boxes or labels for the user's own pictures and videos."""

import argparse
from collections.abc import Sequence

from mmrev.errors import DataError
from mmrev.prediction import predict as predict_images

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
    parser.add_argument('checkpoint', help='a .pth file of this config; a file that holds code is refused')
    add_options(parser)
    parser.add_argument('--device', help='such as cpu or cuda:1 (default: a GPU if there is one)')
    parser.add_argument(
        '--score-thr', type=float, default=0.3, help='the lowest score of a box that is drawn (default: 0.3)'
    )
    return run(predict, parser, argv)


def predict(args: argparse.Namespace) -> None:
    cfg = load_config(args, needs='test_dataloader')
    report = predict_images(
        cfg,
        args.checkpoint,
        args.images,
        args.out,
        device=args.device,
        tell=tell,
        score_thr=args.score_thr,
        **options_of(args),
    )
    print(f'{report}: {", ".join(path.name for path in report.files)}')
    if report.problems:
        raise DataError(f'{len(report.problems)} of the inputs failed, see above; the rest is done')
