"""A confusion matrix as a picture.

Shapes: N classes.
"""

from collections.abc import Sequence
from io import BytesIO

import numpy as np

# above this number of classes the cells are too small for figures
MOST_FIGURES = 40


def draw_confusion(confusion: np.ndarray, classes: Sequence[str], title: str = '') -> bytes:
    """Draws a PNG: one row for each true class, in percent of its pixels.

    Args:
        confusion: Pixels by true class (row) and predicted class (column), [N, N].
        classes: The N names.
        title: The text above.

    Returns:
        The content of the file.

    Example:
        >>> draw_confusion(np.array([[3, 1], [0, 2]]), ['sky', 'road'])[1:4]
        b'PNG'
    """
    # the object-oriented interface draws without a display and leaves pyplot's global state alone
    from matplotlib.figure import Figure

    count = len(classes)
    percent = 100 * confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    side = min(max(4.0, 0.36 * count), 24.0)
    figure = Figure(figsize=(side + 2.5, side + 1.5), layout='constrained')
    axis = figure.subplots()
    image = axis.imshow(percent, cmap='Blues', vmin=0, vmax=100)
    if count <= MOST_FIGURES:
        for (row, column), value in np.ndenumerate(percent):
            if value >= 0.5:
                color = 'white' if value > 55 else 'black'
                axis.text(column, row, f'{value:.0f}', ha='center', va='center', fontsize=7, color=color)
    names = [name.replace('$', r'\$') for name in classes]
    size = 8 if count <= MOST_FIGURES else 6
    axis.set_xticks(range(count), names, fontsize=size, rotation=90)
    axis.set_yticks(range(count), names, fontsize=size)
    axis.set_xlabel('predicted class', fontsize=9)
    axis.set_ylabel('true class', fontsize=9)
    axis.set_title(title, fontsize=9)
    bar = figure.colorbar(image, ax=axis, shrink=0.7)
    bar.set_label('percent of the true class', fontsize=8)
    file = BytesIO()
    figure.savefig(file, format='png', dpi=110)
    return file.getvalue()
