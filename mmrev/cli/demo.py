"""``mmrev demo``: trains a baseline on Digit Scenes, continues it with and without reverse attention, compares both."""

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from prettytable import PrettyTable
from tqdm import tqdm

from mmrev.config_files import find_config
from mmrev.datasets.digit_scenes import generate
from mmrev.engine.checkpoints import read_checkpoint, state_dict_of
from mmrev.engine.trained_model import load_model
from mmrev.engine.work_dirs import last_checkpoint
from mmrev.visualization.confusion_figures import draw_changed_confusions
from mmrev.visualization.ran_figures import draw_comparison
from mmrev.visualization.samples import by_confusion, by_difference, look, most_confused

from .running import run

START, CONTINUED, RAN = 'DeepLabv2-LFOV', 'DeepLabv2-LFOV, continued', 'RAN-n, continued'
TRAININGS = {
    START: 'demo/deeplabv2_digit_scenes.py',
    CONTINUED: 'demo/deeplabv2_continued_digit_scenes.py',
    RAN: 'demo/ran_n_digit_scenes.py',
}
STATE = 'unfinished.json'  # holds the arguments of a demo that did not end
COLUMNS = {
    'pixel accuracy %': 'aAcc',
    'mean accuracy %': 'mAcc',
    'mIoU %': 'mIoU',
    'params (M)': 'params',
    'seconds': 'seconds',
}
# The number of threads decides in which order sums are rounded. It is the same on every machine, so that the table is.
THREADS = 2
TOLERANCE = 1.0  # points of mIoU by which another processor's rounding may change a row of the table
RESULTS = 'docs/results.md'


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog='mmrev demo',
        description='Train DeepLabv2-LargeFOV on Digit Scenes, continue it as it is and as RAN-n for the same number '
        'of steps, and compare the two in a table and in pictures.',
    )
    parser.add_argument(
        '--out', type=Path, default=Path('demo_output'), help='the folder of all results (default: demo_output)'
    )
    parser.add_argument('--iters', type=int, help='the iterations of each training (default: those of the configs)')
    parser.add_argument('--images', type=int, default=4000, help='the number of training images (default: 4000)')
    parser.add_argument('--seed', type=int, default=0, help='the seed of all trainings (default: 0)')
    return run(demo, parser, argv)


def demo(args: argparse.Namespace) -> None:
    torch.set_num_threads(THREADS)
    start_or_go_on(args)
    generate(args.out / 'data', num_train=args.images, num_val=max(args.images // 20, 1))
    configs = {name: demo_config(path, args) for name, path in TRAININGS.items()}
    rows = {START: train_and_score(configs[START])}
    trained = str(last_checkpoint(configs[START].work_dir))
    configs[CONTINUED].load_from = trained
    configs[RAN].load_from = add_reverse_branch(trained, args.out / 'work_dirs/ran_n_start.pth')
    for name in (CONTINUED, RAN):
        rows[name] = train_and_score(configs[name])
    pictures = draw(configs[CONTINUED], configs[RAN], args.out)
    finished = args.out / 'table.json'
    finished.write_text(json.dumps(rows, indent=1))
    (args.out / STATE).unlink()
    print(f'\n{table(rows)}\n\npictures: {", ".join(map(str, pictures))}\ntable: {finished}\n\n{verdict(rows)}')


def start_or_go_on(args: argparse.Namespace) -> None:
    """Keeps the checkpoints of a stopped demo with these arguments, and removes those of any other."""
    state, asked = args.out / STATE, json.dumps(dict(iters=args.iters, images=args.images, seed=args.seed))
    if not (state.exists() and state.read_text() == asked):
        for path in TRAININGS.values():
            shutil.rmtree(args.out / 'work_dirs' / Path(path).stem, ignore_errors=True)
    args.out.mkdir(parents=True, exist_ok=True)
    state.write_text(asked)


def demo_config(path: str, args: argparse.Namespace) -> Config:
    """Returns the config of a training with the folders of the demo, a progress bar, and only errors in its log."""
    cfg = Config.fromfile(find_config(path))
    cfg.work_dir = str(args.out / 'work_dirs' / Path(path).stem)
    cfg.randomness = dict(seed=args.seed)
    cfg.log_level = 'ERROR'
    cfg.visualizer.pop('name')  # with a name, mmengine would reuse the first training's visualizer and its folder
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type='mmrev.ProgressBarHook', label=Path(path).stem)]
    if args.iters:
        cfg.train_cfg.max_iters = cfg.param_scheduler[0].total_steps = args.iters
    cfg.train_cfg.val_interval = cfg.train_cfg.max_iters + 1  # the demo scores once, after the training
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.data_root = str(args.out / 'data')
    return cfg


def add_reverse_branch(checkpoint: str, path: Path) -> str:
    """Writes the weights of a trained baseline as weights of RAN.

    The original branch is the trained classifier. The reverse branch is its negative. RAN-n then starts with the
    baseline's predictions: ``original + attention(original) * original`` grows with ``original``.

    Args:
        checkpoint: The checkpoint of a model with ``LargeFOVHead``.
        path: The file to write.

    Returns:
        The path of the written file.
    """
    state = state_dict_of(read_checkpoint(checkpoint))
    for kind in ('weight', 'bias'):
        classifier = state.pop(f'decode_head.conv_seg.{kind}')
        state[f'decode_head.conv_org.{kind}'] = classifier
        state[f'decode_head.conv_rev.{kind}'] = -classifier
    torch.save(dict(state_dict=state), path)
    return str(path)


def train_and_score(cfg: Config) -> dict[str, float]:
    """Trains, or goes on, and returns the scores, the parameters in millions, and the seconds of all starts."""
    latest = last_checkpoint(cfg.work_dir) if Path(cfg.work_dir).exists() else None
    if latest:
        cfg.load_from, cfg.resume = latest, True
    runner = Runner.from_cfg(cfg)
    clock, start = Path(cfg.work_dir, 'seconds.txt'), time.perf_counter()
    before = float(clock.read_text()) if clock.exists() else 0.0
    try:
        runner.train()
    finally:
        clock.write_text(str(before + time.perf_counter() - start))
    metrics = runner.val_loop.run()
    return dict(
        {key: float(metrics[key]) for key in ('aAcc', 'mAcc', 'mIoU')},
        seconds=float(clock.read_text()),
        params=sum(p.numel() for p in runner.model.parameters()) / 1e6,
    )


def table(rows: dict[str, dict[str, float]]) -> str:
    """Returns the comparison as text.

    Example:
        >>> print(table({'RAN-n': dict(aAcc=90, mAcc=60, mIoU=50, params=1, seconds=9)}).splitlines()[3])
        |  RAN-n |            90.00 |           60.00 |  50.00 |       1.00 |       9 |
    """
    result = PrettyTable(['method', *COLUMNS])
    result.align = 'r'
    for name, row in rows.items():
        result.add_row([name, *(f'{row[key]:.{0 if key == "seconds" else 2}f}' for key in COLUMNS.values())])
    return str(result)


def verdict(rows: dict[str, dict[str, float]]) -> str:
    """Says in the last line whether RAN wins. A difference within the tolerance is no win.

    Example:
        >>> print(verdict({CONTINUED: dict(mIoU=70.0), RAN: dict(mIoU=70.3)}).splitlines()[-1])
        RAN-n does not win: +0.30 points of mIoU against the continued baseline. See docs/results.md.
    """
    gain = rows[RAN]['mIoU'] - rows[CONTINUED]['mIoU']
    says = 'wins' if gain > TOLERANCE else 'does not win'
    return (
        'One seed, a synthetic data set, no pretraining: a look at the method, not a result of the paper. The same '
        f'machine gives the same table.\nAnother processor rounds differently: expect its mIoU within {TOLERANCE} '
        f'points. A smaller difference between two methods is no win.\n'
        f'RAN-n {says}: {gain:+.2f} points of mIoU against the continued baseline. See {RESULTS}.'
    )


def draw(baseline: Config, ran: Config, out: Path, rows: int = 6) -> list[Path]:
    """Draws the confusions that changed, and the images in which the baseline mixes up two digits most often."""
    models = [load_model(cfg, str(last_checkpoint(cfg.work_dir))) for cfg in (baseline, ran)]
    dataset = DATASETS.build(ran.val_dataloader.dataset)
    samples = [look(dataset[index], models) for index in tqdm(range(len(dataset)), desc='pictures')]
    classes, palette, methods = dataset.metainfo['classes'], dataset.metainfo['palette'], ('DeepLabv2-LFOV', 'RAN-n')
    pair = most_confused(samples, len(classes), leave_out=[0])  # every digit is confused with the background
    confused, changed = by_confusion(samples, pair)[:rows], by_difference(samples)[: rows - 1]
    return [
        draw_comparison(out / 'comparison.png', confused, list(methods), classes, palette, pair),
        draw_changed_confusions(out / 'confusions.png', samples, changed, methods, classes, palette),
    ]
