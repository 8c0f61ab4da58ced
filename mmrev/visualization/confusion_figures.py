"""The changes between two models: in their confusions, and in the scenes whose labels differ.

Shapes: N classes, H x W the image.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .samples import Sample, labelled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MENDED, BROKEN, MOVED = (60, 200, 90), (240, 70, 60), (250, 200, 60)


def confusion_matrix(samples: Sequence[Sample], model: int, num_classes: int) -> np.ndarray:
    """Counts pixels by true class (row) and predicted class (column): [N, N]. Ignored pixels do not count.

    Args:
        samples: The images with their predictions.
        model: The index of the model among the predictions.
        num_classes: N.

    Example:
        >>> labels = np.array([[0, 1, 255]])
        >>> sample = Sample(np.zeros((1, 3, 3)), labels, (np.array([[0, 0, 0]]),), item={}, model=None)
        >>> confusion_matrix([sample], model=0, num_classes=2).tolist()
        [[1, 0], [1, 0]]
    """
    counts = np.zeros((num_classes, num_classes), np.int64)
    for sample in samples:
        known = sample.truth < num_classes
        np.add.at(counts, (sample.truth[known], sample.predictions[model][known]), 1)
    return counts


def changed_confusions(samples: Sequence[Sample], num_classes: int) -> np.ndarray:
    """By how much the last model's confusions differ from the first model's, in percent of each true class: [N, N].

    Example:
        >>> truth, first, last = np.array([[1, 1]]), np.array([[0, 1]]), np.array([[1, 1]])
        >>> sample = Sample(np.zeros((1, 2, 3)), truth, (first, last), item={}, model=None)
        >>> changed_confusions([sample], num_classes=2).tolist()
        [[0.0, 0.0], [-50.0, 50.0]]
    """
    first, last = (confusion_matrix(samples, model, num_classes) for model in (0, -1))
    return 100 * (last - first) / np.maximum(first.sum(axis=1, keepdims=True), 1)


def changed_pixels(sample: Sample) -> np.ndarray:
    """Colours the pixels that the two models label differently, over the grey image: [H, W, 3] uint8.

    Green: the last model mends the label. Red: it breaks the label. Yellow: both labels are wrong.

    Example:
        >>> truth, first, last = np.array([[1, 1]]), np.array([[0, 1]]), np.array([[1, 0]])
        >>> sample = Sample(np.zeros((1, 2, 3)), truth, (first, last), item={}, model=None)
        >>> changed_pixels(sample).tolist()
        [[[60, 200, 90], [240, 70, 60]]]
    """
    first, last = sample.predictions[0], sample.predictions[-1]
    picture = np.repeat(sample.image.mean(axis=-1, keepdims=True) * 0.7, 3, axis=-1).astype(np.uint8)
    differ = (first != last) & (sample.truth != 255)
    picture[differ] = MOVED
    picture[differ & (last == sample.truth)] = MENDED
    picture[differ & (first == sample.truth)] = BROKEN
    return picture


def draw_changed_confusions(
    path: str | Path,
    samples: Sequence[Sample],
    shown: Sequence[Sample],
    methods: tuple[str, str],
    classes: Sequence[str],
    palette: Sequence[Sequence[int]],
) -> Path:
    """Draws the changed confusions of two models as a matrix, and beside it the scenes that changed.

    Args:
        path: The file to write.
        samples: All images. The matrix counts their pixels.
        shown: The images that are drawn, one a row.
        methods: The names of the two models.
        classes: The names of the N classes.
        palette: The colour of each class.

    Returns:
        The path of the file.

    Example:
        >>> import os, tempfile
        >>> labels = np.array([[0, 1]])
        >>> sample = Sample(np.zeros((1, 2, 3)), labels, (labels, 1 - labels), item={}, model=None)
        >>> file, colours = os.path.join(tempfile.mkdtemp(), 'confusions.png'), [(0, 0, 0), (255, 0, 0)]
        >>> draw_changed_confusions(file, [sample], [sample], ('A', 'B'), ['no', 'yes'], colours).name
        'confusions.png'
    """
    # the object-oriented interface draws without a display and leaves pyplot's global state alone
    from matplotlib.figure import Figure

    titles = ['image', 'ground truth', *methods, 'changed pixels']
    height = max(1.5 * len(shown) + 0.6, 5.0)
    figure = Figure(figsize=(6.0 + 1.5 * len(titles), height), layout='constrained')
    left, right = figure.subfigures(1, 2, width_ratios=(6.0, 1.5 * len(titles)), squeeze=False)[0]
    draw_matrix(left.subplots(), changed_confusions(samples, len(classes)), classes, methods)
    grid = right.subplots(len(shown), len(titles), squeeze=False)
    for axes, sample in zip(grid, shown, strict=True):
        for axis, picture in zip(axes, [*labelled(sample, palette), changed_pixels(sample)], strict=True):
            axis.imshow(picture, interpolation='nearest')
            axis.set_axis_off()
    for axis, title in zip(grid[0], titles, strict=True):
        axis.set_title(title, fontsize=8)
    right.supxlabel('changed pixels: green mended, red broken, yellow wrong before and after', fontsize=8)
    figure.savefig(path, dpi=120)
    return Path(path)


def draw_matrix(axis: 'Axes', change: np.ndarray, classes: Sequence[str], methods: tuple[str, str]) -> None:
    """Draws a matrix of changes. Blue is good and red is bad: fewer confusions, or more right labels."""
    good = np.where(np.eye(len(classes), dtype=bool), change, -change)
    limit = max(float(np.abs(change).max()), 1e-6)
    axis.imshow(good, cmap='RdBu', vmin=-limit, vmax=limit)
    for (row, column), value in np.ndenumerate(change):
        if abs(value) >= 0.05:
            colour = 'white' if abs(value) > 0.6 * limit else 'black'
            axis.text(column, row, f'{value:+.1f}', ha='center', va='center', fontsize=6, color=colour)
    axis.set_xticks(range(len(classes)), classes, fontsize=8, rotation=45)
    axis.set_yticks(range(len(classes)), classes, fontsize=8)
    axis.set_xlabel('predicted', fontsize=9)
    axis.set_ylabel('true', fontsize=9)
    axis.set_title(f'{methods[1]} minus {methods[0]}, percent of the true class\nblue: better, red: worse', fontsize=9)
