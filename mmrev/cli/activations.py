"""``mmrev activations``: draws RA-Net's figure 5, the activations of reverse attention on images of some classes."""

import argparse
import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path

from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from torch import Tensor, nn
from tqdm import tqdm

from mmrev.datasets.checks import leaf_datasets
from mmrev.engine.trained_model import load_model
from mmrev.errors import ConfigError, DataError
from mmrev.visualization.ra_activations import collect, draw_activations, named_gates, write_activations

from .arguments import config_parser
from .configs import load_config
from .predict_options import positive
from .running import run

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
CLASSES = 5  # as many as in the paper


def main(argv: Sequence[str] | None = None) -> int:
    parser = config_parser('activations', "Draw RA-Net's figure 5, and write its numbers.")
    parser.add_argument('checkpoint', help='a checkpoint of this config; its backbone has reverse attention')
    parser.add_argument('images', type=Path, help='a folder of images, or a folder with a sub-folder for each class')
    parser.add_argument('--classes', nargs='+', metavar='NAME', help=f'sub-folders (default: the first {CLASSES})')
    parser.add_argument(
        '--per-class', type=positive, default=50, help='the highest number of images of a class (default: 50)'
    )
    parser.add_argument(
        '--blocks', nargs='+', metavar='RA_2_1', help='blocks, by their stage and number (default: all)'
    )
    parser.add_argument('--batch-size', type=positive, default=32, help='(default: 32)')
    parser.add_argument('--out', type=Path, default=Path('figures'), help='the folder to draw into (default: figures)')
    return run(activations, parser, argv)


def activations(args: argparse.Namespace) -> None:
    cfg = load_config(args, needs='test_dataloader')
    images = find_images(args.images, args.classes, args.per_class)
    model = load_model(cfg, args.checkpoint)
    backbone = getattr(model, 'backbone', model)
    gates = named_gates(backbone)
    if not gates:
        raise ConfigError(
            f'{args.config} has no reverse attention in its {type(backbone).__name__}: give a config '
            'with RAResNet, RAMobileNetV2 or add_reverse_attention'
        )
    blocks = pick('block', args.blocks or gates, gates)
    chosen = {block: gate for block, gate in gates.items() if block in blocks}
    prepare = test_pipeline(cfg)
    found = {}
    for name, paths in images.items():
        inputs = batches(model, prepare, tqdm(paths, desc=name, disable=None), args.batch_size)
        found[name] = collect(backbone, chosen, inputs)
    args.out.mkdir(parents=True, exist_ok=True)
    files = [draw_activations(args.out / 'figure5.png', found), write_activations(args.out / 'figure5.csv', found)]
    print('drawn: ' + ', '.join(map(str, files)))


def find_images(folder: Path, names: Sequence[str] | None, per_class: int) -> dict[str, list[Path]]:
    """Finds the images of each class: a class is a sub-folder with images, or else the folder itself.

    Args:
        folder: The folder.
        names: The classes; None takes the first five.
        per_class: The highest number of images of a class; the first by name are taken.

    Raises:
        DataError: The folder is missing, or has no images.
        ConfigError: There is no class of that name.
    """
    if not folder.is_dir():
        raise DataError(f'{folder} is missing: expected a folder of images, or one with a sub-folder for each class')
    folders = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and next(_images(path), None)}
    folders = folders or {folder.resolve().name: folder}
    chosen = pick('class', names, folders) if names else list(folders)[:CLASSES]
    images = {name: sorted(_images(folders[name]))[:per_class] for name in chosen}
    if not all(images.values()):
        raise DataError(f'{folder} has no images: expected {" ".join(SUFFIXES)} files in it or in its sub-folders')
    counts = ', '.join(f'{name} ({len(paths)} images)' for name, paths in images.items())
    print(f'{len(images)} of {len(folders)} classes: {counts}')
    return images


def _images(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith('.'))


def pick(kind: str, wanted: Collection[str], known: Collection[str]) -> Collection[str]:
    """Returns the wanted names, after a check that all of them are known.

    Args:
        kind: The word for the names in the error.
        wanted: The names to check.
        known: The names that exist.

    Raises:
        ConfigError: A name is unknown.

    Example:
        >>> pick('block', ['RA_2_1'], ['RA_2_1', 'RA_2_2'])
        ['RA_2_1']
    """
    for name in wanted:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f'did you mean {close[0]}?' if close else f'expected such as {", ".join(islice(known, CLASSES))}'
            raise ConfigError(f'no {kind} {name!r} among the {len(known)}: {hint}')
    return wanted


def test_pipeline(cfg: Config) -> Callable[[Path], dict]:
    """Returns a function that reads and prepares an image, with the steps of the test data set except annotations.

    The function raises DataError for an image that cannot be prepared.
    """
    steps = next(leaf_datasets(cfg.test_dataloader.dataset))['pipeline']
    transform = Compose([step for step in steps if 'Annotations' not in str(step['type'])])

    def prepare(path: Path) -> dict:
        try:
            return transform(dict(img_path=str(path)))
        except Exception as error:  # a transform may raise any type
            raise DataError(
                f'{path} cannot be prepared by the test pipeline ({type(error).__name__}: {error}): fetch '
                'or export it again'
            ) from error

    return prepare


def batches(model: nn.Module, prepare: Callable[[Path], dict], paths: Iterable[Path], size: int) -> Iterator[Tensor]:
    """Yields preprocessed inputs [B, 3, H, W].

    The images of a batch have the same size, because padding would change the norms of equation 3.
    """
    items = (prepare(path) for path in paths)
    for _, alike in groupby(items, key=lambda item: item['inputs'].shape):
        while batch := list(islice(alike, size)):
            # torch types the attributes of a module loosely
            yield model.data_preprocessor(pseudo_collate(batch))['inputs']  # type: ignore[operator]
