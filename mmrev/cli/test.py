"""Scores a checkpoint with a config of any of the three hosts."""

import argparse
from collections.abc import Sequence

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import Runner

from mmrev.datasets.checks import check_data, leaf_datasets
from mmrev.engine.checkpoints import read_checkpoint
from mmrev.errors import ConfigError

from .common import config_parser, is_main_rank, load_config, require_metrics, run

# what has a host's own visualization hook draw every prediction
DRAW = {'mmseg': dict(draw=True), 'mmdet': dict(draw=True), 'mmpretrain': dict(enable=True, interval=1)}


def main(argv: Sequence[str] | None = None) -> int:
    parser = config_parser('test', 'Score a checkpoint.')
    parser.add_argument('checkpoint', help='a .pth file; one with pickled code in it is refused')
    parser.add_argument('--show-dir', help='draw the predictions into this folder')
    parser.add_argument('--tta', action='store_true', help='test-time augmentation, as the config has it')
    return run(test, parser, argv)


def test(args: argparse.Namespace) -> dict[str, float]:
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
    return Runner.from_cfg(cfg).test()


def draw_into(cfg: Config, folder: str) -> None:
    """Has every prediction drawn.

    Raises:
        ConfigError: The config has no visualization hook or visualizer.
    """
    hook, visualizer = cfg.get('default_hooks', {}).get('visualization'), cfg.get('visualizer')
    if not hook or not visualizer or cfg.get('default_scope') not in DRAW:
        raise ConfigError(
            '--show-dir needs default_hooks.visualization and a visualizer in the config, such as '
            "dict(type='SegVisualizationHook') and dict(type='SegLocalVisualizer')"
        )
    hook.update(DRAW[cfg.default_scope])
    visualizer.save_dir = folder
    visualizer.vis_backends = visualizer.get('vis_backends') or [dict(type='LocalVisBackend')]


def use_tta(cfg: Config) -> None:
    """Wraps the model and its pipeline for test-time augmentation.

    Raises:
        ConfigError: The config does not say how.
    """
    for key in ('tta_model', 'tta_pipeline'):
        if key not in cfg:
            raise ConfigError(f'--tta needs {key} in the config, as in configs/_base_/default_runtime.py')
    for dataset in leaf_datasets(cfg.test_dataloader.dataset):
        dataset.pipeline = cfg.tta_pipeline
    cfg.model = dict(cfg.tta_model, module=cfg.model)
