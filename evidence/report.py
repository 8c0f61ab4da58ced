"""Tables and a forest plot of the kept runs."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .over_images import ImageIntervals
from .paired import Difference, paired
from .protocol import Study
from .runs import Run, RunLog

Named = dict[str, dict[str, Difference]]  # of a title, of a method


def write_report(studies: Sequence[type[Study]], results: Path, work_dir: Path) -> list[Path]:
    """Writes ``tables.md``, ``forest.png`` and ``over_images.csv`` beside the CSVs.

    Args:
        studies: A study without a kept run is left out.
        results: Holds the CSVs.
        work_dir: Holds the confusion matrices of the images.

    Returns:
        The table and the plot.
    """
    lines: list[str] = []
    intervals = ImageIntervals(results, work_dir)
    differences: Named = {}
    for study in studies:
        log = RunLog(results / f'{study.name}.csv', study.measures)
        if log.final(study.methods[0]):
            lines += _table(study, log, intervals)
            differences[study.title] = _differences(study, log)
    intervals.save()
    target = results / 'tables.md'
    target.write_text('\n'.join(lines))
    return [target, draw_forest(results / 'forest.png', differences)]


def _table(study: type[Study], log: RunLog, intervals: ImageIntervals) -> list[str]:
    main, *others = study.measures
    baseline = study.methods[0]
    against = f'difference to {baseline}, 95 % interval, wins'
    columns = ['method', 'rate', main, against, 'interval over images', 'seeds needed', *others]
    lines = [f'### {study.title}', '', f'| {" | ".join(columns)} |', '|---' * len(columns) + '|']
    differences = _differences(study, log)
    for method in study.methods:
        runs = log.final(method)
        if runs:
            lines.append(_row(study, log, method, runs, differences.get(method), intervals))
    count, steps = len(log.final(baseline)), log.final(baseline)[0].steps
    hours = sum(run.seconds for run in log.runs.values()) / 3600
    return [*lines, '', f'{count} seeds, {steps} steps each; {len(log.runs)} trainings in {hours:.1f} hours.', '']


def _row(
    study: type[Study],
    log: RunLog,
    method: str,
    runs: Sequence[Run],
    difference: Difference | None,
    intervals: ImageIntervals,
) -> str:
    main, *others = study.measures
    scores = [run.scores[main] for run in runs]
    spread = f' ± {np.std(scores, ddof=1):.2f}' if len(scores) > 1 else ''
    cells = [method, f'{runs[0].rate:g}', f'{np.mean(scores):.2f}{spread}']
    if difference is None:
        cells += ['', '', '']
    else:
        interval = intervals.find(study.name, study.methods[0], method, [run.seed for run in runs])
        over_images = '[{:+.2f}, {:+.2f}]'.format(*interval) if interval else ''
        cells += [str(difference), over_images, f'{difference.needed}']
    cells += [_other(study, log, method, name) for name in others]
    return f'| {" | ".join(cells)} |'


def _other(study: type[Study], log: RunLog, method: str, measure: str) -> str:
    """The mean of a further measure, and the difference to the baseline if it has the measure too."""
    scores = [run.scores[measure] for run in log.final(method) if measure in run.scores]
    difference = _differences(study, log, measure).get(method)
    mean = f'{np.mean(scores):.2f}' if scores else ''
    return (
        mean
        if difference is None
        else f'{mean} ({difference.mean:+.2f} [{difference.low:+.2f}, {difference.high:+.2f}])'
    )


def _differences(study: type[Study], log: RunLog, measure: str = '') -> dict[str, Difference]:
    """The difference of each method to the baseline, over the seeds that both have, in the first measure or another."""
    measure = measure or study.measures[0]
    baseline, *others = study.methods
    theirs = {run.seed: run.scores[measure] for run in log.final(baseline) if measure in run.scores}
    found = {}
    for method in others:
        ours = {run.seed: run.scores[measure] for run in log.final(method) if measure in run.scores}
        shared = sorted(ours.keys() & theirs.keys())
        if shared:
            found[method] = paired([ours[seed] for seed in shared], [theirs[seed] for seed in shared])
    return found


def draw_forest(path: Path, differences: Named) -> Path:
    """A forest plot: the mean difference and its 95 % interval, one line a method, one panel a study."""
    from matplotlib.figure import Figure

    heights = [len(found) + 1.5 for found in differences.values()]
    figure = Figure(figsize=(8, 0.33 * sum(heights)), layout='constrained')
    panels = list(figure.subplots(len(heights), squeeze=False, height_ratios=heights)[:, 0]) if heights else []
    for axis, (title, found) in zip(panels, differences.items(), strict=True):
        for place, difference in enumerate(reversed(found.values())):
            axis.errorbar(
                difference.mean,
                place,
                xerr=[[difference.mean - difference.low], [difference.high - difference.mean]],
                fmt='o',
                capsize=3,
                color='tab:blue' if difference.decided else 'tab:gray',
            )
            axis.text(1.01, place, str(difference), transform=axis.get_yaxis_transform(), va='center', fontsize=8)
        axis.axvline(0, color='black', linewidth=0.8)
        axis.set_yticks(range(len(found)), list(found)[::-1], fontsize=8)
        axis.set_ylim(-0.6, len(found) - 0.4)
        axis.set_title(title, fontsize=9, loc='left')
        axis.tick_params(axis='x', labelsize=8)
    if heights:
        panels[-1].set_xlabel('difference to the baseline, in points (grey: the interval holds 0)', fontsize=8)
    figure.savefig(path, dpi=120)
    return path
