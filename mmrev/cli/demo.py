"""Trains DeepLabv2-LargeFOV and RAN-n on Digit Scenes, compares them in a table and in pictures."""

import argparse
import json
import os
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

from mmrev.datasets.digit_scenes import generate
from mmrev.visualization.ran_figures import draw_comparison
from mmrev.visualization.samples import by_confusion, look, most_confused

from .common import find_config, run
from .train import last_checkpoint
from .trained_model import load_model

METHODS = {'DeepLabv2-LFOV': 'demo/deeplabv2_digit_scenes.py', 'RAN-n': 'demo/ran_n_digit_scenes.py'}
STATE = 'unfinished.json'  # the arguments of a demo that has begun
COLUMNS = {
    'pixel accuracy %': 'aAcc',
    'mean accuracy %': 'mAcc',
    'mIoU %': 'mIoU',
    'params (M)': 'params',
    'seconds': 'seconds',
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='mmrev demo', description=__doc__)
    parser.add_argument('--out', type=Path, default=Path('demo_output'), help='data, checkpoints and pictures go here')
    parser.add_argument('--iters', type=int, help="length of both trainings; the configs' by default")
    parser.add_argument('--images', type=int, default=2000, help='training images to draw')
    parser.add_argument('--seed', type=int, default=0, help='of both trainings')
    return run(demo, parser, argv)


def demo(args: argparse.Namespace) -> None:
    # a core for the data loader: threads that wait for a core in use cost more than they give
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    start_or_go_on(args)
    generate(args.out / 'data', num_train=args.images, num_val=max(args.images // 10, 1))
    configs = {name: demo_config(path, args) for name, path in METHODS.items()}
    rows = {name: train_and_score(name, cfg) for name, cfg in configs.items()}
    pictures = draw(*configs.values(), args.out)
    finished = args.out / 'table.json'
    finished.write_text(json.dumps(rows, indent=1))
    (args.out / STATE).unlink()
    print(
        f'\n{table(rows)}\n\nOne seed, a made-up data set, no pretraining: a look at the method, not a result of the '
        f'paper.\npictures: {pictures}\ntable: {finished}'
    )


def start_or_go_on(args: argparse.Namespace) -> None:
    """Leaves what a stopped demo with these arguments has trained; of any other the checkpoints are removed."""
    state, asked = args.out / STATE, json.dumps(dict(iters=args.iters, images=args.images, seed=args.seed))
    if not (state.exists() and state.read_text() == asked):
        for path in METHODS.values():
            shutil.rmtree(args.out / 'work_dirs' / Path(path).stem, ignore_errors=True)
    args.out.mkdir(parents=True, exist_ok=True)
    state.write_text(asked)


def demo_config(path: str, args: argparse.Namespace) -> Config:
    """The method's config with the demo's folders, quiet logs and a bar."""
    cfg = Config.fromfile(find_config(path))
    cfg.work_dir = str(args.out / 'work_dirs' / Path(path).stem)
    cfg.randomness = dict(seed=args.seed)
    cfg.log_level = 'ERROR'
    cfg.visualizer.pop('name')  # mmengine would hand out the other training's, with its folder
    cfg.custom_hooks = [*cfg.custom_hooks, dict(type='mmrev.ProgressBarHook', label=Path(path).stem)]
    if args.iters:
        cfg.train_cfg.update(max_iters=args.iters, val_interval=args.iters)
        cfg.param_scheduler[0].end = args.iters
    cfg.train_cfg.val_interval = cfg.train_cfg.max_iters + 1  # scored once, after the training
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.data_root = str(args.out / 'data')
    return cfg


def train_and_score(name: str, cfg: Config) -> dict[str, float]:
    """Trains (or goes on), then scores; seconds are those of the training, over all starts."""
    latest = last_checkpoint(cfg.work_dir) if Path(cfg.work_dir).exists() else None
    cfg.load_from, cfg.resume = latest, latest is not None
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
    """The comparison, for a terminal."""
    result = PrettyTable(['method', *COLUMNS])
    result.align = 'r'
    for name, row in rows.items():
        result.add_row([name, *(f'{row[key]:.{0 if key == "seconds" else 2}f}' for key in COLUMNS.values())])
    return str(result)


def draw(baseline: Config, ran: Config, out: Path, rows: int = 6) -> Path:
    """Pictures of the validation images in which the baseline confuses its two most confused digits most."""
    models = [load_model(cfg, last_checkpoint(cfg.work_dir)) for cfg in (baseline, ran)]
    dataset = DATASETS.build(ran.val_dataloader.dataset)
    samples = [look(dataset[index], models) for index in tqdm(range(len(dataset)), desc='pictures')]
    classes = dataset.metainfo['classes']
    pair = most_confused(samples, len(classes), leave_out=[0])  # background is confused with every digit
    return draw_comparison(
        out / 'comparison.png',
        by_confusion(samples, pair)[:rows],
        list(METHODS),
        classes,
        dataset.metainfo['palette'],
        pair,
    )
