"""``mmrev train|test|check-data|complexity|convert|draw|activations|demo ...``: one entry to all, tools/ too."""

import contextlib
import io
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

COMMANDS = {
    'train': 'train a config of mmrev, mmsegmentation, mmpretrain or mmdetection',
    'test': 'score a checkpoint, draw its predictions',
    'check-data': "read every image and mask of a config's data sets",
    'convert': 'turn a PyTorch port of DeepLabv2 into a checkpoint for load_from',
    'draw': "draw RAN's figures 2 and 4, scale attention's 3, RANet's 5 and 6 from trained models",
    'activations': "draw RA-Net's figure 5 from a trained model and a folder of images",
    'complexity': "count parameters and FLOPs of configs' models",
    'demo': 'train a baseline and RAN on the built-in digit scenes, compare and draw them',
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] not in COMMANDS:
        print(
            'usage: mmrev COMMAND ...  (mmrev COMMAND --help says more)\n\n'
            + '\n'.join(f'  {name:11s} {what}' for name, what in COMMANDS.items())
        )
        return 0 if argv[:1] in ([], ['-h'], ['--help']) else 2
    try:
        command = _import_quietly(f'mmrev.cli.{argv[0].replace("-", "_")}')
    except ModuleNotFoundError as missing:
        print(
            f"mmrev: error: {missing.name} is not installed: pip install 'mmrev[demo]' into an empty environment, "
            'or it alone into one with an OpenMMLab stack',
            file=sys.stderr,
        )
        return 1
    return command.main(argv[1:])


def _import_quietly(module: str) -> ModuleType:
    """The OpenMMLab packages greet with lines on optional parts that nobody here asked for."""
    warnings.filterwarnings('ignore', category=UserWarning, module='mmcv|mmseg|mmpretrain|mmengine')
    with contextlib.redirect_stdout(io.StringIO()):
        return import_module(module)
