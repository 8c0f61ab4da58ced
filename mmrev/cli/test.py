"""``mmrev test``: scores a checkpoint with a config of any host. A segmentation also gets a table of its classes."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import Runner

from mmrev.datasets.checks import check_data, leaf_datasets
from mmrev.engine.checkpoints import read_checkpoint
from mmrev.engine.per_class_metric import PerClassMetric
from mmrev.errors import ConfigError
from mmrev.hosts import HOSTS

from .arguments import run_parser
from .configs import load_config, require_metrics
from .processes import is_main_rank
from .running import run


def main(argv: Sequence[str] | None = None) -> int:
    parser = run_parser('test', 'Score a checkpoint.')
    parser.add_argument('checkpoint', help='a .pth file; a file that holds code is refused')
    parser.add_argument('--show-dir', help='draw the predictions into this folder')
    parser.add_argument('--tta', action='store_true', help='use the test-time augmentation of the config')
    return run(test, parser, argv)


def test(args: argparse.Namespace) -> None:
    cfg = load_config(args, needs='test_dataloader')
    require_metrics(cfg)
    cfg.load_from, cfg.resume = args.checkpoint, False
    if '://' not in args.checkpoint:
        read_checkpoint(args.checkpoint)
    if args.show_dir:
        draw_into(cfg, args.show_dir)
    splits = check_data(cfg, splits=('test',))
    if args.tta:
        use_tta(cfg)
    if is_main_rank():
        print('\n'.join([f'device: {get_device()}', *map(str, splits)]), flush=True)
    runner = Runner.from_cfg(cfg)
    per_class = add_per_class(runner) if cfg.get('default_scope') == 'mmseg' else None
    runner.test()
    if per_class and per_class.lines:
        print(
            '\n'.join([*per_class.lines, f'classes, confusions and the worst images: {per_class.folder}']), flush=True
        )


def add_per_class(runner: Runner) -> PerClassMetric:
    """Adds the metric that writes the scores of each class below the folder of the runner's log."""
    evaluator = runner.test_loop.evaluator
    ignored = [getattr(metric, 'ignore_index', 255) for metric in evaluator.metrics]
    metric = PerClassMetric(Path(runner.log_dir, 'per_class'), ignore_index=ignored[0] if ignored else 255)
    metric.dataset_meta = evaluator.dataset_meta
    evaluator.metrics.append(metric)
    return metric


def draw_into(cfg: Config, folder: str) -> None:
    """Changes the config so that every prediction is drawn into a folder.

    Raises:
        ConfigError: The config has no visualization hook, no visualizer, or no known default scope.
    """
    hook, visualizer = cfg.get('default_hooks', {}).get('visualization'), cfg.get('visualizer')
    host = HOSTS.get(cfg.get('default_scope'))
    if not hook or not visualizer or not host:
        raise ConfigError(
            '--show-dir needs default_hooks.visualization and a visualizer in the config, such as '
            "dict(type='SegVisualizationHook') and dict(type='SegLocalVisualizer')"
        )
    hook.update(host.draw)
    visualizer.save_dir = folder
    visualizer.vis_backends = visualizer.get('vis_backends') or [dict(type='LocalVisBackend')]


def use_tta(cfg: Config) -> None:
    """Wraps the model and its pipeline for test-time augmentation.

    Raises:
        ConfigError: The config does not define the augmentation.
    """
    for key in ('tta_model', 'tta_pipeline'):
        if key not in cfg:
            raise ConfigError(f'--tta needs {key} in the config, as in configs/_base_/default_runtime.py')
    for dataset in leaf_datasets(cfg.test_dataloader.dataset):
        dataset['pipeline'] = cfg.tta_pipeline
    cfg.model = dict(cfg.tta_model, module=cfg.model)
