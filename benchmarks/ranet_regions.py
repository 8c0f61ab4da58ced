"""Other ways to divide an image into regions, for ``ranet_readings.py``.

Shapes: N classes, h x w the feature map, P = h * w its cells in raster order, H x W the image.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from torch import Tensor

from mmrev.models.layers import pairwise_boundary, pairwise_similarity

COMPACTNESS = 10.0  # SLIC's default in scikit-image
BISECTIONS = 10


def components(classes: np.ndarray) -> np.ndarray:
    """Numbers the connected parts of equal class (4 neighbours) of a map [h, w]: [h, w]."""
    found = np.zeros(classes.shape, int)
    for value in np.unique(classes):
        parts = cv2.connectedComponents((classes == value).astype(np.uint8), connectivity=4)[1]
        found = np.where(parts > 0, parts + found.max(), found)
    return found


def slic_regions(image: np.ndarray, count: int) -> np.ndarray:
    """SLIC's superpixels of an RGB image, so many or a few more: [H, W]."""
    from skimage.segmentation import slic

    asked, found = count, np.zeros(image.shape[:2], int)
    while len(np.unique(found)) < count:  # it makes fewer than it is asked for
        found = slic(image, n_segments=asked, compactness=COMPACTNESS, start_label=0)
        asked += max(1, count // 8)
    return found


def together(boundary: Tensor, probabilities: Tensor) -> np.ndarray:
    """Equation 3 without end points: F, [h, w, P], of boundary scores [1, h, w] and probabilities [1, N, h, w]."""
    attention = (1 - pairwise_boundary(boundary)) * (1 - pairwise_similarity(probabilities))
    return attention[0].view(*boundary.shape[1:], -1).numpy()


def agreeing(attention: np.ndarray, share: float, threshold: float = 0.8) -> np.ndarray:
    """Each cell joins the first region in which it belongs together with enough cells: [h, w].

    Args:
        attention: F, [h, w, P].
        share: 1: with all cells of the region so far. Below 1: with more than this share.
        threshold: Of equation 4.
    """
    joined = attention.reshape(attention.shape[-1], -1) > threshold
    labels = np.zeros(len(joined), int)
    sizes = np.zeros(len(joined))
    count = 0
    for cell, own in enumerate(joined):
        agreed = np.bincount(labels[:cell], own[:cell], minlength=count)[:count] / sizes[:count].clip(1)
        enough = np.flatnonzero(agreed == 1 if share == 1 else agreed > share)
        labels[cell] = enough[0] if len(enough) else count
        count = max(count, labels[cell] + 1)
        sizes[labels[cell]] += 1
    return labels.reshape(attention.shape[:2])


def wanted_threshold(divide: Callable[[float], np.ndarray], count: int) -> float:
    """The lowest threshold, up to 1 / 1024, that gives so many regions or more."""
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if len(np.unique(divide(middle))) < count:
            low = middle
        else:
            high = middle
    return high


def fitted_threshold(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """The threshold with the best balanced accuracy on pairs of cells of one true object, and on other pairs.

    Args:
        pairs: For each image F [h, w, P], and the true object of each cell [h, w], -1 where it is not known.
    """
    edges = np.linspace(0, 1, 101)
    counts = np.zeros((2, 100))
    for attention, objects in pairs:
        known, flat = objects.ravel() >= 0, objects.ravel()
        table = attention.reshape(len(flat), -1)[known][:, known]
        same = flat[known][:, None] == flat[known]
        for number, chosen in enumerate((same, ~same)):
            counts[number] += np.histogram(table[chosen], edges)[0]
    below = counts.cumsum(1) / counts.sum(1, keepdims=True)
    return float(edges[1 + np.argmax(below[1] - below[0])])
