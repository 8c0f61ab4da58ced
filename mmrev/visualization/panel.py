"""A grid of pictures with a title over each column."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np


def save_panel(
    path: str | Path, rows: Sequence[Sequence[np.ndarray]], titles: Sequence[str], cell: float = 1.8
) -> Path:
    """Writes a PNG with one row of pictures a sample.

    Args:
        path: Where to.
        rows: RGB pictures [H, W, 3] uint8, or maps [H, W] in [0, 1], which are drawn in false colours.
        titles: One a column.
        cell: Width of one picture, inches.
    """
    # the object-oriented interface draws without a display and leaves pyplot's global state alone
    from matplotlib.figure import Figure

    heights = [cell * line[0].shape[0] / line[0].shape[1] for line in rows]
    figure = Figure(figsize=(cell * len(titles), sum(heights) + 0.3), layout='constrained')
    axes = figure.subplots(len(rows), len(titles), squeeze=False, height_ratios=heights)
    for row, line in zip(axes, rows, strict=True):
        for axis, picture in zip(row, line, strict=True):
            axis.imshow(picture, vmin=0, vmax=1, cmap='inferno', interpolation='nearest')
            axis.set_axis_off()
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, fontsize=8)
    figure.savefig(path, dpi=150)
    return Path(path)
