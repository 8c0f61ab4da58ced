"""Pictures at the size of the page.

Shapes: H x W a picture.
"""

import io
from typing import TYPE_CHECKING

import cv2
import matplotlib
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LARGEST, SMALLEST = 1024, 512  # pixels of the longer side


def page_size(height: int, width: int) -> tuple[int, int]:
    """Returns the height and width on the page: a small picture grows by a whole factor, a large one shrinks.

    Example:
        >>> page_size(64, 48), page_size(600, 800), page_size(4096, 2048)
        ((512, 384), (600, 800), (1024, 512))
    """
    longer = max(height, width)
    factor = min(LARGEST / longer, max(SMALLEST // longer, 1))
    return max(round(height * factor), 1), max(round(width * factor), 1)


def to_page(picture: np.ndarray) -> np.ndarray:
    """Resizes a picture [H, W, 3] uint8 to the size of the page.

    Example:
        >>> to_page(np.zeros((64, 48, 3), np.uint8)).shape
        (512, 384, 3)
    """
    height, width = page_size(*picture.shape[:2])
    smaller = width < picture.shape[1]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def heat(values: np.ndarray) -> np.ndarray:
    """Draws a map [H, W] in [0, 1] in the false colours of all figures of mmrev: RGB, [H, W, 3] uint8.

    Example:
        >>> heat(np.array([[0.0, 1.0]])).tolist()
        [[[0, 0, 3], [252, 254, 164]]]
    """
    return matplotlib.colormaps['inferno'](np.clip(values, 0, 1), bytes=True)[..., :3]


def figure_picture(figure: 'Figure') -> np.ndarray:
    """Draws a figure of matplotlib: RGB, [H, W, 3] uint8.

    Example:
        >>> from matplotlib.figure import Figure
        >>> figure_picture(Figure(figsize=(2, 1))).shape
        (120, 240, 3)
    """
    file = io.BytesIO()
    figure.savefig(file, format='png', dpi=120)
    return np.asarray(Image.open(file).convert('RGB'))
