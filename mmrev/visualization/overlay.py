"""Pictures of label maps.

Shapes: H x W the image.
"""

from collections.abc import Sequence

import numpy as np


def colorize(labels: np.ndarray, palette: Sequence[Sequence[int]], ignore_index: int = 255) -> np.ndarray:
    """Turns a label map [H, W] into an RGB picture [H, W, 3] uint8. Ignored pixels are grey.

    Example:
        >>> colorize(np.array([[0, 1, 255]]), palette=[(0, 0, 0), (255, 0, 0)]).tolist()
        [[[0, 0, 0], [255, 0, 0], [128, 128, 128]]]
    """
    table = np.full((256, 3), 128, np.uint8)
    table[: len(palette)] = np.asarray(palette, np.uint8)
    table[ignore_index] = 128
    return table[labels]


def overlay(
    image: np.ndarray, labels: np.ndarray, palette: Sequence[Sequence[int]], opacity: float = 0.6
) -> np.ndarray:
    """Lays the colours of a label map [H, W] over the grey version of an RGB image [H, W, 3] uint8.

    Black is transparent.

    Example:
        >>> image, labels = np.full((1, 2, 3), 100, np.uint8), np.array([[0, 1]])
        >>> overlay(image, labels, palette=[(0, 0, 0), (255, 0, 0)]).tolist()
        [[[100, 100, 100], [193, 40, 40]]]
    """
    grey = image.mean(axis=-1, keepdims=True).round().astype(np.uint8).repeat(3, axis=-1)
    return blend(grey, colorize(labels, palette), opacity)


def blend(image: np.ndarray, colors: np.ndarray, opacity: float) -> np.ndarray:
    """Lays an RGB picture [H, W, 3] uint8 over another one. Black is transparent.

    Example:
        >>> blend(np.full((1, 1, 3), 100, np.uint8), np.array([[[0, 0, 200]]], np.uint8), opacity=0.5).tolist()
        [[[50, 50, 150]]]
    """
    mixed = np.float32(1 - opacity) * image + np.float32(opacity) * colors
    mixed = np.rint(mixed).astype(np.uint8)
    return np.where(colors.any(axis=-1, keepdims=True), mixed, image)
