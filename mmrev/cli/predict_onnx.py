"""``mmrev predict model.onnx``: masks or labels with onnxruntime, where torch and OpenMMLab are not installed."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mmrev.errors import DataError, UserError
from mmrev.prediction.folder import predict_into
from mmrev.prediction.onnx_model import OnnxModel

from .predict_options import add_options, options_of, tell

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog='mmrev predict', description='Predict pictures and videos with a file of `mmrev export --format onnx`.'
    )
    parser.add_argument('model', help='an ONNX file of `mmrev export`')
    add_options(parser)
    args = parser.parse_args(argv)
    try:
        predict(args)
    except KeyboardInterrupt as stop:
        print(f'mmrev: stopped {stop}'.rstrip(), file=sys.stderr)
        return INTERRUPTED
    except UserError as error:
        print(f'mmrev: error: {" ".join(str(error).split())}', file=sys.stderr)
        return 1
    return 0


def predict(args: argparse.Namespace) -> None:
    report = predict_into(
        args.out, args.images, lambda: OnnxModel(args.model), str(Path(args.model)), tell=tell, **options_of(args)
    )
    print(f'{report}: {", ".join(path.name for path in report.files)}')
    if report.problems:
        raise DataError(f'{len(report.problems)} of the inputs failed, see above; the rest is done')
