"""A picture of a table: printed and measured figures of its rows, one panel a metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PRINTED, MEASURED, ROW_HEIGHT = 'tab:orange', 'tab:blue', 0.28


@dataclass(frozen=True)
class Point:
    """One row in one panel.

    Args:
        name: The name of the row.
        printed: The printed figure, or None.
        measured: The measured figures.
        spread: Their standard deviation.
        empty: The words where nothing is measured.

    Example:
        >>> Point('RAN-n', 48.1, (48.0, 48.4)).printed
        48.1
    """

    name: str
    printed: float | None
    measured: Sequence[float]
    spread: float | None = None
    empty: str = 'not run'


def draw_table(path: str | Path, panels: Mapping[str, Sequence[Point]], title: str) -> Path:
    """Writes a PNG with one panel for each metric and one line for each row.

    Args:
        path: The file to write.
        panels: The rows of each metric.
        title: The text above.

    Returns:
        The path of the file.

    Example:
        >>> import os, tempfile
        >>> panels = {'mIoU': [Point('RAN-n', 48.1, (48.0, 48.4), 0.28), Point('RAN-s', 48.0, ())]}
        >>> path = draw_table(os.path.join(tempfile.mkdtemp(), 'ran_1.png'), panels, 'ran/1')
        >>> path.name, path.stat().st_size > 0
        ('ran_1.png', True)
    """
    # the object-oriented interface draws without a display and leaves pyplot's global state alone
    from matplotlib.figure import Figure

    rows = max(len(points) for points in panels.values())
    figure = Figure(figsize=(3 + 3.2 * len(panels), 1.5 + ROW_HEIGHT * rows), layout='constrained')
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, (metric, points) in zip(axes, panels.items(), strict=True):
        _panel(axis, metric, points)
        axis.tick_params(labelleft=axis is axes[0])
    figure.legend(*_legend(), fontsize=7, loc='outside lower center', ncols=2, frameon=False)
    figure.suptitle(title, fontsize=8, wrap=True)
    figure.savefig(path, dpi=150)
    return Path(path)


def _panel(axis: 'Axes', metric: str, points: Sequence[Point]) -> None:
    for height, point in enumerate(points):
        if point.printed is not None:
            axis.plot(point.printed, height, 'D', color=PRINTED, markersize=5, markerfacecolor='none')
        if point.measured:
            mean = sum(point.measured) / len(point.measured)
            axis.plot(point.measured, [height] * len(point.measured), '|', color=MEASURED, markersize=6, alpha=0.5)
            axis.errorbar(mean, height, xerr=point.spread, fmt='o', color=MEASURED, markersize=4, capsize=2)
        else:
            axis.text(
                1.01, height, point.empty, transform=axis.get_yaxis_transform(), fontsize=7, color='grey', va='center'
            )
    axis.set_yticks(range(len(points)), [point.name for point in points], fontsize=7)
    axis.set_ylim(len(points) - 0.5, -0.5)
    axis.tick_params(axis='x', labelsize=7)
    axis.grid(axis='x', alpha=0.3)
    axis.set_title(metric, fontsize=8)


def _legend() -> tuple[list, list[str]]:
    from matplotlib.lines import Line2D

    printed = Line2D([], [], marker='D', color=PRINTED, markerfacecolor='none', linestyle='')
    measured = Line2D([], [], marker='o', color=MEASURED)
    return [printed, measured], ['printed', 'measured: mean, standard deviation, each seed']
