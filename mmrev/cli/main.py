"""``mmrev train|test|check-data|convert|demo ...``: one entry to all commands."""
import sys
from collections.abc import Sequence
from importlib import import_module

COMMANDS = {
    'train': 'train a config of mmrev, mmsegmentation, mmpretrain or mmdetection',
    'test': 'score a checkpoint, draw its predictions',
    'check-data': 'read every image and mask of a config\'s data sets',
    'convert': 'turn a PyTorch port of DeepLabv2 into a checkpoint for load_from',
    'demo': 'train a baseline and RAN on the built-in digit scenes, compare and draw them',
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] not in COMMANDS:
        print('usage: mmrev COMMAND ...  (mmrev COMMAND --help says more)\n\n' +
              '\n'.join(f'  {name:11s} {what}' for name, what in COMMANDS.items()))
        return 0 if argv[:1] in ([], ['-h'], ['--help']) else 2
    return import_module(f'mmrev.cli.{argv[0].replace("-", "_")}').main(argv[1:])
