"""``mmrev export``: a trained model as an ONNX file, or as an archive of torch.export."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmrev.export import Exported, export_model

from .arguments import config_parser
from .configs import load_config
from .predict_options import positive
from .running import run


def main(argv: Sequence[str] | None = None) -> int:
    parser = config_parser(
        'export',
        'Export a trained segmentor, classifier, or the backbone of a detector. The file is run at several sizes and '
        'compared with torch before it is written.',
    )
    parser.add_argument('checkpoint', help='a .pth file of this config; a file that holds code is refused')
    parser.add_argument('--format', default='onnx', metavar='FORMAT', help='onnx or torch-export (default: onnx)')
    parser.add_argument('--out', type=Path, help='the file (default: the name of the checkpoint, in this folder)')
    parser.add_argument(
        '--output',
        default='scores',
        metavar='OUTPUT',
        help='scores before the softmax, probabilities or labels (default: scores)',
    )
    parser.add_argument(
        '--uint8', action='store_true', help='the network takes RGB images, 0 to 255, and normalises them itself'
    )
    parser.add_argument(
        '--size',
        type=positive,
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='the only size of images, for networks that have no program for all sizes, such as RANet to ONNX',
    )
    parser.add_argument(
        '--check-images', nargs='+', default=[], metavar='IMAGE', help='pictures or folders to compare on, too'
    )
    parser.add_argument('--force', action='store_true', help='overwrite the file')
    return run(export, parser, argv)


def export(args: argparse.Namespace) -> None:
    made = export_model(
        load_config(args, needs='test_dataloader'),
        args.checkpoint,
        args.out,
        file_format=args.format,
        output=args.output,
        uint8=args.uint8,
        size=tuple(args.size) if args.size else None,
        check_images=args.check_images,
        force=args.force,
    )
    print('\n'.join(report(made)))


def report(made: Exported) -> list[str]:
    """Says in lines what was written and how far it is from torch."""
    lines = [f'{made.path}: {made.path.stat().st_size / 1e6:.1f} MB']
    for name, found in (('random images', made.random), ('your images', made.real)):
        if found is not None:
            agreement = f', {100 * found.agreement:.3f} % of the top labels are equal' if found.labels else ''
            lines.append(f'{name}: the largest difference from torch is {found.difference:.2g}{agreement}')
    return [*lines, *(f'note: {note}' for note in made.notes)]
