"""Draws RA-Net's figure 5: the activations of a trained model's reverse attention on images of some classes."""

import argparse
import difflib
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path

from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from torch import Tensor, nn
from tqdm import tqdm

from mmrev.datasets.checks import leaf_datasets
from mmrev.errors import ConfigError, DataError
from mmrev.visualization.ra_activations import collect, draw_activations, named_gates, write_activations

from .common import config_parser, load_config, positive, run
from .trained_model import load_model

SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff')
CLASSES = 5  # that the paper shows


def main(argv: Sequence[str] | None = None) -> int:
    parser = config_parser('activations', "Draw RA-Net's figure 5 and write its numbers.", runs=False)
    parser.add_argument('checkpoint', help='of the config, whose backbone has reverse attention')
    parser.add_argument('images', type=Path, help='a folder with a sub-folder of images a class, or with images')
    parser.add_argument('--classes', nargs='+', metavar='NAME', help=f'sub-folders; the first {CLASSES} by default')
    parser.add_argument('--per-class', type=positive, default=50, help='how many images of a class, at most')
    parser.add_argument('--blocks', nargs='+', metavar='RA_2_1', help='by stage and block; all by default')
    parser.add_argument('--batch-size', type=positive, default=32)
    parser.add_argument('--out', type=Path, default=Path('figures'), help='the folder to draw into')
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
    prepare = test_pipeline(cfg)
    found = {}
    for name, paths in images.items():
        inputs = batches(model, prepare, tqdm(paths, desc=name, disable=None), args.batch_size)
        found[name] = collect(backbone, {block: gates[block] for block in gates if block in blocks}, inputs)
    args.out.mkdir(parents=True, exist_ok=True)
    files = [draw_activations(args.out / 'figure5.png', found), write_activations(args.out / 'figure5.csv', found)]
    print('drawn: ' + ', '.join(map(str, files)))


def find_images(folder: Path, names: Sequence[str] | None, per_class: int) -> dict[str, list[Path]]:
    """The first images of each class by name; the classes are the sub-folders with images, or else the folder itself.

    Raises:
        DataError: The folder is missing, or no image is in it.
        ConfigError: A name is not that of a class.
    """
    if not folder.is_dir():
        raise DataError(f'{folder} is missing: expected a folder with a sub-folder of images a class, or with images')
    folders = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and next(_images(path), None)}
    folders = folders or {folder.resolve().name: folder}
    chosen = pick('class', names, folders) if names else list(folders)[:CLASSES]
    images = {name: sorted(_images(folders[name]))[:per_class] for name in chosen}
    if not all(images.values()):
        raise DataError(f'{folder} has no images: expected {" ".join(SUFFIXES)} files in it or in a sub-folder a class')
    counts = ', '.join(f'{name} ({len(paths)} images)' for name, paths in images.items())
    print(f'{len(images)} of {len(folders)} classes: {counts}')
    return images


def _images(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith('.'))


def pick(what: str, wanted: Collection[str], known: Collection[str]) -> Collection[str]:
    """What is wanted, all of which must be known.

    Raises:
        ConfigError: It is not.
    """
    for name in wanted:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            raise ConfigError(
                f'no {what} {name!r} among the {len(known)}: '
                + (f'did you mean {close[0]}?' if close else f'expected such as {", ".join(islice(known, CLASSES))}')
            )
    return wanted


def test_pipeline(cfg: Config) -> Callable[[Path], dict]:
    """Reads and prepares an image as in the config's test data set, less the steps that look for annotations.

    What it returns raises DataError for an image that cannot be prepared.
    """
    steps = next(leaf_datasets(cfg.test_dataloader.dataset)).pipeline
    transform = Compose([step for step in steps if 'Annotations' not in str(step['type'])])

    def prepare(path: Path) -> dict:
        try:
            return transform(dict(img_path=str(path)))
        except Exception as error:  # any that a transform may raise
            raise DataError(
                f'{path} cannot be prepared by the test pipeline ({type(error).__name__}: {error}): fetch '
                'or export it again'
            ) from error

    return prepare


def batches(model: nn.Module, prepare: Callable[[Path], dict], paths: Sequence[Path], size: int) -> Iterator[Tensor]:
    """Preprocessed inputs [B, 3, H, W]; each of images of one size, since padding would change equation 3's norms."""
    for _, alike in groupby(map(prepare, paths), key=lambda item: item['inputs'].shape):
        while batch := list(islice(alike, size)):
            yield model.data_preprocessor(pseudo_collate(batch))['inputs']
