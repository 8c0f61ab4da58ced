"""CamVid at 320 x 240 pixels, from its folders {images,annotations}/{train,val,test}.

Shapes: H x W the image.
"""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from mmrev.errors import DataError

SIZE = (240, 320)  # H, W
SPLITS = ('train', 'val', 'test')
CLASSES = 11
IGNORED = 255
UNLABELLED = 11  # in the masks
CPU = torch.device('cpu')


class Split:
    """Inputs and masks of one split, in memory or memory-mapped.

    Args:
        inputs: One or several arrays [images, C, h, w], such as images or feature maps at several scales.
        masks: [images, H, W] uint8.
    """

    def __init__(self, inputs: list[np.ndarray], masks: np.ndarray) -> None:
        self.inputs, self.masks = inputs, masks

    def __len__(self) -> int:
        return len(self.masks)

    def batch(self, indices: Tensor, device: torch.device = CPU) -> tuple[list[Tensor], Tensor]:
        """Returns the inputs [B, C, h, w] float32, and the masks [B, H, W] int64, on a device."""
        chosen = indices.numpy()
        inputs = [torch.from_numpy(array[chosen]).to(device).float() for array in self.inputs]
        return inputs, torch.from_numpy(self.masks[chosen]).to(device).long()


def find_images(root: Path, split: str, limit: int | None = None) -> list[Path]:
    """Returns the images of a split, at most ``limit``, sorted.

    Raises:
        DataError: There are none.
    """
    folder = root / 'images' / split
    found = sorted(path for path in folder.glob('*') if path.suffix in ('.png', '.jpg'))[:limit]
    if not found:
        raise DataError(f'{folder} has no images: expected CamVid as {{images,annotations}}/{{train,val,test}}')
    return found


def read_image(path: Path, scale: float = 1) -> np.ndarray:
    """Returns BGR, [3, H, W] uint8, at a scale of SIZE."""
    height, width = (round(side * scale) for side in SIZE)
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f'{path} is no image: fetch it again')
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)


def load_images(root: Path, split: str, limit: int | None = None) -> Split:
    """Reads the images of a split, BGR [images, 3, H, W] uint8, and their masks."""
    paths = find_images(root, split, limit)
    images = np.stack([read_image(path) for path in paths])
    return Split([images], np.stack([read_mask(root, split, path) for path in paths]))


def read_mask(root: Path, split: str, image: Path) -> np.ndarray:
    """Returns the mask of an image, [H, W] uint8.

    Raises:
        DataError: It is missing, or it has colours.
    """
    path = root / 'annotations' / split / f'{image.stem}.png'
    mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if mask is None or mask.ndim != 2:
        raise DataError(f"{path} is missing or no mask of one channel: fetch CamVid's annotations again")
    mask = cv2.resize(mask, SIZE[::-1], interpolation=cv2.INTER_NEAREST)
    return np.where(mask >= UNLABELLED, IGNORED, mask).astype(np.uint8)
