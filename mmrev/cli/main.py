"""The entry of all commands: ``mmrev <command> ...``, ``python -m mmrev <command> ...`` and tools/."""

import contextlib
import io
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from mmrev.hosts import PACKAGES

COMMANDS = {
    'train': 'train a config of mmrev, mmsegmentation, mmpretrain or mmdetection',
    'test': 'score a checkpoint, and draw its predictions',
    'curves': 'draw the learning curves of a training, or of several to compare them',
    'predict': 'predict your own pictures and videos: masks, boxes or labels',
    'serve': 'open a web page on this machine that shows a model at work',
    'publish': 'write a folder with a trained model that others can load',
    'export': 'write a trained model as an ONNX file or a torch.export archive, and check it',
    'new-config': 'write a config for your own images and masks, COCO, LabelMe or YOLO annotations',
    'prepare': "bring a data set of the papers from its authors' archives into the layout of the configs",
    'check-data': 'read every image and mask of the data sets in a config',
    'convert': 'turn a PyTorch port of DeepLabv2 into a checkpoint for load_from',
    'draw': "draw RAN's figures 2 and 4, scale attention's 3, and RANet's 5 and 6 from trained models",
    'activations': "draw RA-Net's figure 5 from a trained model and a folder of images",
    'complexity': 'count the parameters and FLOPs of the models in configs',
    'demo': 'train a baseline and RAN on the built-in digit scenes, compare and draw them',
    'reproduce': "train and test what is missing of a paper's tables, and compare",
    'doctor': 'print the installed stack, what works on it and how to mend the rest',
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command, and returns its exit status.

    Example:
        >>> main(['--help'])
        usage: mmrev COMMAND ... ...
        0
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] not in COMMANDS:
        print('usage: mmrev COMMAND ...  (mmrev COMMAND --help lists its options)\n')
        print('\n'.join(f'  {name:11s} {purpose}' for name, purpose in COMMANDS.items()))
        return 0 if argv[:1] in ([], ['-h'], ['--help']) else 2
    try:
        command = _import_quietly(f'mmrev.cli.{_module_of(argv)}')
    except ModuleNotFoundError as missing:
        print(
            f"mmrev: error: {missing.name} is not installed: pip install 'mmrev[demo]' into an empty environment, "
            'or only this package into an environment with OpenMMLab packages',
            file=sys.stderr,
        )
        return 1
    return command.main(argv[1:])


def _module_of(argv: Sequence[str]) -> str:
    exported = argv[0] == 'predict' and any(text.endswith('.onnx') for text in argv[1:])
    return 'predict_onnx' if exported else argv[0].replace('-', '_')


def _import_quietly(module: str) -> ModuleType:
    # the OpenMMLab packages print lines about optional parts that nobody asked for
    warnings.filterwarnings('ignore', category=UserWarning, module='|'.join(['mmengine', *PACKAGES]))
    with contextlib.redirect_stdout(io.StringIO()):
        return import_module(module)
