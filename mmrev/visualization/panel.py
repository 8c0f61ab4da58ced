"""A grid of pictures with a title over each column.

Shapes: H x W a picture.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np


def save_panel(
    path: str | Path, rows: Sequence[Sequence[np.ndarray]], titles: Sequence[str], cell: float = 1.8
) -> Path:
    """Writes a PNG with one row of pictures for each sample.

    Args:
        path: The file to write.
        rows: RGB pictures [H, W, 3] uint8, or maps [H, W] in [0, 1], which are drawn in false colours.
        titles: The title of each column.
        cell: The width of one picture in inches.

    Returns:
        The path of the file.

    Example:
        >>> import os, tempfile
        >>> path = save_panel(os.path.join(tempfile.mkdtemp(), 'maps.png'), [[np.zeros((4, 4))]], ['attention'])
        >>> path.name, path.stat().st_size > 0
        ('maps.png', True)
    """
    # the object-oriented interface draws without a display and leaves pyplot's global state alone
    from matplotlib.figure import Figure

    heights = [cell * row[0].shape[0] / row[0].shape[1] for row in rows]
    figure = Figure(figsize=(cell * len(titles), sum(heights) + 0.3), layout='constrained')
    axes = figure.subplots(len(rows), len(titles), squeeze=False, height_ratios=heights)
    for row_axes, row in zip(axes, rows, strict=True):
        for axis, picture in zip(row_axes, row, strict=True):
            axis.imshow(picture, vmin=0, vmax=1, cmap='inferno', interpolation='nearest')
            axis.set_axis_off()
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=8)
    figure.savefig(path, dpi=150)
    return Path(path)
