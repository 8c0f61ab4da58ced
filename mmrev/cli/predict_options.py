"""The options of ``mmrev predict``, for models of all kinds. This module needs neither torch nor OpenMMLab."""

import argparse
import sys
from pathlib import Path
from typing import Any


def add_options(parser: argparse.ArgumentParser, least_images: str = '+') -> None:
    """Adds the pictures, and the options that do not depend on the kind of the model."""
    parser.add_argument(
        'images',
        nargs=least_images,
        help="pictures, videos, folders with their sub-folders, or patterns ('photos/**/*.jpg')",
    )
    parser.add_argument(
        '--out', type=Path, default=Path('predictions'), help='the folder to write into (default: predictions)'
    )
    parser.add_argument(
        '--batch-size', type=positive, default=1, help='pictures of one size that the model gets at once (default: 1)'
    )
    parser.add_argument('--no-overlays', action='store_true', help='do not draw the predictions over the pictures')
    parser.add_argument('--opacity', type=float, default=0.5, help='of masks over the pictures, 0 to 1 (default: 0.5)')
    parser.add_argument(
        '--probabilities', action='store_true', help='write the probability of every class (NumPy files, or columns)'
    )
    parser.add_argument('--every', type=positive, default=1, help='predict every N-th frame of a video (default: 1)')
    parser.add_argument('--force', action='store_true', help='predict all pictures anew, and overwrite files')


def options_of(args: argparse.Namespace) -> dict[str, Any]:
    """Returns the options as arguments of :func:`mmrev.predict`."""
    return dict(
        batch_size=args.batch_size,
        every=args.every,
        force=args.force,
        overlays=not args.no_overlays,
        opacity=args.opacity,
        probabilities=args.probabilities,
    )


def tell(problem: str) -> None:
    """Prints a problem beside the progress bar."""
    from importlib.util import find_spec

    line = f'mmrev: problem: {problem}'
    if find_spec('tqdm') is None:
        print(line, file=sys.stderr)
        return
    from tqdm import tqdm

    tqdm.write(line, file=sys.stderr)


def positive(text: str) -> int:
    """Reads a whole number of at least 1, as the ``type`` of an argument.

    Raises:
        argparse.ArgumentTypeError: The number is smaller.

    Example:
        >>> positive('3')
        3
    """
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f'{text}: expected 1 or more')
    return number
