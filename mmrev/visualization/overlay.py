"""Pictures of label maps."""

from collections.abc import Sequence

import numpy as np


def colorize(labels: np.ndarray, palette: Sequence[Sequence[int]], ignore_index: int = 255) -> np.ndarray:
    """Label map [H, W] -> RGB [H, W, 3] uint8; ignored pixels are grey."""
    table = np.full((256, 3), 128, np.uint8)
    table[: len(palette)] = np.asarray(palette, np.uint8)
    table[ignore_index] = 128
    return table[labels]


def overlay(
    image: np.ndarray, labels: np.ndarray, palette: Sequence[Sequence[int]], opacity: float = 0.6
) -> np.ndarray:
    """Lays the colours of a label map [H, W] over an RGB image [H, W, 3] uint8 in grey; black ones are clear."""
    grey = image.mean(axis=-1, keepdims=True)
    colors = colorize(labels, palette)
    weight = np.where(colors.any(axis=-1, keepdims=True), opacity, 0)
    return (grey * (1 - weight) + colors * weight).round().astype(np.uint8)
