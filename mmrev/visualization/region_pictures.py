"""Pictures of object regions and their representatives.

Shapes: H x W the image, h x w the feature map.
"""

import cv2
import numpy as np

from .overlay import overlay

# Green belongs to the representatives and grey to the image.
REGION_COLORS = (
    (230, 25, 75),
    (0, 110, 255),
    (255, 225, 25),
    (145, 30, 220),
    (0, 215, 235),
    (245, 120, 20),
    (250, 120, 210),
    (30, 30, 200),
    (160, 80, 20),
    (90, 170, 255),
    (255, 175, 130),
    (140, 0, 60),
    (0, 130, 150),
    (185, 100, 255),
)
DOT, RIM, BORDER, CLEAR = (60, 255, 60), (0, 0, 0), (255, 255, 255), (0, 0, 0)
FRAGMENT = -1  # replaces the root pixel of a fragment, which is a region of representatives alone


def region_picture(image: np.ndarray, labels: np.ndarray, representatives: np.ndarray) -> np.ndarray:
    """Draws regions in colours over the grey image, with white borders and a green dot at each representative.

    Fragments stay grey, without dots. A fragment has K pixels or fewer, so all its pixels are representatives. Many
    fragments lie along boundaries.

    Args:
        image: RGB, [H, W, 3] uint8.
        labels: The root pixel of each pixel's region, [h, w].
        representatives: Whether a pixel is a representative, [h, w] bool.

    Returns:
        RGB, [H, W, 3] uint8.

    Example:
        >>> labels = np.array([[0, 0, 2]])
        >>> region_picture(np.full((20, 60, 3), 100, np.uint8), labels, labels == 2).shape
        (20, 60, 3)
    """
    size = image.shape[:2]
    labels = np.where(_has_others(labels, representatives), labels, FRAGMENT)
    picture = overlay(image, nearest(color_indices(labels), size), [*REGION_COLORS, CLEAR])
    picture[borders(nearest(labels, size), width=max(1, size[1] // 300))] = BORDER
    return _with_dots(picture, representatives & (labels != FRAGMENT))


def color_indices(labels: np.ndarray) -> np.ndarray:
    """Chooses a colour of ``REGION_COLORS`` for each region of a map [h, w] of root pixels: [h, w] uint8.

    A root pixel has a colour of its own, which stays the same during a training. If a larger neighbour has this colour,
    the region takes the next free one. Neighbours differ, unless a region has as many larger neighbours as there are
    colours. Fragments get the number after the last colour.

    Example:
        >>> color_indices(np.array([[0, 0, 14, 3]]))  # 14 would be colour 0 again, which its neighbour has
        array([[0, 0, 1, 3]], dtype=uint8)
    """
    roots, regions, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    neighbours = _neighbours(regions.reshape(labels.shape))
    count, chosen = len(REGION_COLORS), {}
    for region in np.argsort(-sizes, kind='stable').tolist():
        if roots[region] == FRAGMENT:
            chosen[region] = count
            continue
        taken = {chosen[other] for other in neighbours[region] if other in chosen}
        wanted = [(int(roots[region]) + step) % count for step in range(count)]
        free = [color for color in wanted if color not in taken]
        chosen[region] = free[0] if free else wanted[0]
    colors = np.array([chosen[region] for region in range(len(roots))], np.uint8)
    return colors[regions].reshape(labels.shape)


def borders(labels: np.ndarray, width: int = 1) -> np.ndarray:
    """Marks pixels with another label within the next ``width`` pixels to the right or below, [H, W] bool.

    Example:
        >>> borders(np.array([[0, 0, 2]]))
        array([[False,  True, False]])
    """
    marked = np.zeros(labels.shape, bool)
    marked[:-1] |= labels[:-1] != labels[1:]
    marked[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    return cv2.dilate(marked.astype(np.uint8), np.ones((width, width), np.uint8)).astype(bool)


def nearest(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resizes a map [h, w] to [H, W]. Each pixel takes the nearest value, so labels stay labels.

    Example:
        >>> nearest(np.array([[1, 2]]), (1, 4))
        array([[1, 1, 2, 2]])
    """
    rows = np.arange(size[0]) * values.shape[0] // size[0]
    columns = np.arange(size[1]) * values.shape[1] // size[1]
    return values[rows][:, columns]


def _has_others(labels: np.ndarray, representatives: np.ndarray) -> np.ndarray:
    """Whether a pixel's region has pixels that are no representatives, [h, w] bool."""
    _, regions = np.unique(labels, return_inverse=True)
    others = np.bincount(regions.ravel(), ~representatives.ravel())
    return others[regions].reshape(labels.shape) > 0


def _with_dots(picture: np.ndarray, marks: np.ndarray) -> np.ndarray:
    scale = np.divide(picture.shape[:2], marks.shape)
    radius = max(2, picture.shape[1] // 160)
    picture = np.ascontiguousarray(picture)
    for row, column in (np.argwhere(marks) + 0.5) * scale:
        center = int(column), int(row)
        cv2.circle(picture, center, radius + max(1, radius // 3), RIM, cv2.FILLED, cv2.LINE_AA)
        cv2.circle(picture, center, radius, DOT, cv2.FILLED, cv2.LINE_AA)
    return picture


def _neighbours(regions: np.ndarray) -> list[set[int]]:
    """The regions beside each region of a map [h, w] of numbers from 0."""
    found: list[set[int]] = [set() for _ in range(regions.max() + 1)]
    for before, after in ((regions[:-1], regions[1:]), (regions[:, :-1], regions[:, 1:])):
        apart = before != after
        pairs = np.stack([before[apart], after[apart]], 1)
        for one, other in np.unique(pairs, axis=0).tolist():
            found[one].add(other)
            found[other].add(one)
    return found
