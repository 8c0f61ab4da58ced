"""Learning curves of one training, or of several to compare them."""

import math
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from mmrev.errors import require_choice

from .scalars import Scalars

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 6


def default_panels(runs: Sequence[Scalars]) -> list[str]:
    """Returns the loss and the first metrics of the runs.

    Example:
        >>> default_panels([Scalars('a', {'lr': [(1, 0.1)], 'loss': [(1, 2.0)]}, {'mIoU': [(1, 3.0)]})])
        ['loss', 'mIoU']
    """
    losses = ['loss'] if any('loss' in run.train for run in runs) else []
    metrics = list(dict.fromkeys(metric for run in runs for metric in run.metrics))
    chosen = [*losses, *metrics][:MOST_PANELS]
    return chosen or list(dict.fromkeys(key for run in runs for key in run.train))[:MOST_PANELS]


def draw_curves(runs: Sequence[Scalars], panels: Sequence[str] | None = None) -> bytes:
    """Draws a PNG with one panel for each value and one line for each run.

    The panel of the loss of a single run also has its parts. A point marks the best figure of a metric.

    Args:
        runs: The trainings.
        panels: The names of the values; None for the loss and the metrics.

    Returns:
        The content of the file.

    Raises:
        ConfigError: No run has a value of this name.

    Example:
        >>> draw_curves([Scalars('a', {'loss': [(1, 2.0), (2, 1.0)]})])[1:4]
        b'PNG'
    """
    # the object-oriented interface draws without a display and leaves pyplot's global state alone
    from matplotlib.figure import Figure

    known = list(dict.fromkeys(key for run in runs for key in (*run.train, *run.metrics)))
    for panel in panels or ():
        require_choice('value', panel, known)
    chosen = list(panels or default_panels(runs))
    columns = min(len(chosen), 3)
    rows = math.ceil(len(chosen) / columns)
    figure = Figure(figsize=(4.2 * columns, 3.0 * rows + 0.4), layout='constrained')
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axis, panel in zip(axes, chosen, strict=False):
        _panel(axis, panel, runs)
    for axis in axes[len(chosen) :]:
        axis.set_axis_off()
    if len(runs) > 1:
        handles = [axis for axis in axes[0].get_lines() if not axis.get_label().startswith('_')]
        names = [_plain(run.name) for run in runs if {chosen[0]} & {*run.train, *run.metrics}]
        figure.legend(handles[: len(names)], names, loc='outside lower center', ncols=3, fontsize=8, frameon=False)
    else:
        figure.suptitle(_plain(runs[0].name), fontsize=9)
    file = BytesIO()
    figure.savefig(file, format='png', dpi=120)
    return file.getvalue()


def _panel(axis: 'Axes', panel: str, runs: Sequence[Scalars]) -> None:
    for index, run in enumerate(runs):
        points = run.metrics.get(panel) or run.train.get(panel)
        if not points:
            continue
        color, marker = f'C{index % 10}', '.' if panel in run.metrics else None
        axis.plot(
            *zip(*points, strict=True),
            color=color,
            marker=marker,
            linewidth=1.4,
            label=_plain(run.name if len(runs) > 1 else panel),
        )
        if panel in run.metrics:
            axis.plot(*run.best(panel), 'o', color=color, markersize=6, markerfacecolor='none', label='_best')
    if panel == 'loss' and len(runs) == 1:
        _loss_parts(axis, runs[0])
    axis.set_title(_plain(panel), fontsize=9)
    axis.set_xlabel('iterations', fontsize=8)
    axis.tick_params(labelsize=7)
    axis.grid(alpha=0.3)


def _loss_parts(axis: 'Axes', run: Scalars) -> None:
    parts = [key for key in run.train if 'loss' in key and key != 'loss']
    for index, key in enumerate(parts[:8]):
        axis.plot(
            *zip(*run.train[key], strict=True), color=f'C{index + 1}', linewidth=0.8, alpha=0.8, label=_plain(key)
        )
    if parts:
        axis.legend(fontsize=6, frameon=False)


def _plain(text: str) -> str:
    return text.replace('$', r'\$')  # matplotlib reads formulas between dollar signs


def summary_table(runs: Sequence[Scalars]) -> str:
    """Returns a table: the last loss and the best figure of each metric, with its iteration, of each run.

    Example:
        >>> print(summary_table([Scalars('a', {'loss': [(1, 2.0)]}, {'mIoU': [(1, 3.0)]}), Scalars('b', {'lr': []})]))
        run  last loss  mIoU
        a    2.0000     3.00 at 1
        b    -          -
    """
    metrics = [panel for panel in default_panels(runs) if any(panel in run.metrics for run in runs)]
    rows = [['run', 'last loss', *metrics]]
    for run in runs:
        loss = f'{run.train["loss"][-1][1]:.4f}' if run.train.get('loss') else '-'
        rows.append([run.name, loss, *(_best(run, metric) for metric in metrics)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return '\n'.join('  '.join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _best(run: Scalars, metric: str) -> str:
    if metric not in run.metrics:
        return '-'
    step, value = run.best(metric)
    return f'{value:.2f} at {step}' if abs(value) >= 1 else f'{value:.4f} at {step}'
