"""Images of Tiny-ImageNet, 64 x 64 pixels, from its folders {train,val}/<class>/*.JPEG."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from mmrev.errors import DataError

from .devices import device_of

BATCH = 32  # of a test
HELD_OUT = 50  # of each class in train, for the choice of the learning rate


def load_images(root: Path, limit: int | None = None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Reads the splits train, val (the last images of each class in train) and test (the folder val).

    Args:
        root: The data set.
        limit: At most so many images of each class and split; None for all.

    Returns:
        For each split RGB images [images, 3, 64, 64] uint8, and labels [images] int64.

    Raises:
        DataError: A folder has no classes, or the two have different ones.
    """
    classes, tests = (_classes(root / folder) for folder in ('train', 'val'))
    if not classes or list(classes) != list(tests):
        raise DataError(f'{root}: expected the same folders of classes in train/ and val/, for example train/n01443537')
    parts: dict[str, list[list[Path]]] = dict(
        train=[files[:-HELD_OUT] for files in classes.values()],
        val=[files[-HELD_OUT:] for files in classes.values()],
        test=list(tests.values()),
    )
    return {split: _read(split, [files[:limit] for files in part]) for split, part in parts.items()}


def _classes(folder: Path) -> dict[str, list[Path]]:
    return {path.name: sorted(path.rglob('*.JPEG')) for path in sorted(folder.glob('n*'))}


def _read(split: str, classes: list[list[Path]]) -> tuple[np.ndarray, np.ndarray]:
    paths = [path for files in classes for path in files]
    labels = [label for label, files in enumerate(classes) for _ in files]
    images = [_read_image(path) for path in tqdm(paths, desc=f'images of {split}')]
    return np.stack(images), np.array(labels, np.int64)


def _read_image(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f'{path} is no image: unpack the archive again')
    return image[:, :, ::-1].transpose(2, 0, 1)


@torch.no_grad()
def accuracy(model: nn.Module, split: tuple[np.ndarray, np.ndarray]) -> float:
    """The share of images whose label is the likeliest class, in percent."""
    images, labels = split
    right = 0
    for start in range(0, len(labels), BATCH):
        batch = torch.from_numpy(images[start : start + BATCH]).to(device_of(model))
        best = model(batch.float()).argmax(1).cpu()
        right += int((best.numpy() == labels[start : start + BATCH]).sum())
    return 100 * right / len(labels)
