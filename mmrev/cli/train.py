"""``mmrev train``: trains a config of any host."""

import argparse
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.optim import AmpOptimWrapper
from mmengine.runner import Runner

from mmrev.datasets.checks import check_data
from mmrev.engine.checkpoints import read_checkpoint
from mmrev.engine.restricted_pickle import ForbiddenError
from mmrev.engine.work_dirs import last_checkpoint, lock_work_dir
from mmrev.errors import CheckpointError, ConfigError, DataError, HostError

from .arguments import run_parser
from .configs import load_config, require_metrics
from .curves import draw_training
from .processes import is_main_rank, process_count
from .running import run
from .screen import shorten_screen


def main(argv: Sequence[str] | None = None) -> int:
    parser = run_parser('train', 'Train a config.')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint (without a value: from the last one in the work dir)',
    )
    parser.add_argument('--amp', action='store_true', help='use automatic mixed precision')
    parser.add_argument(
        '--quick',
        action='store_true',
        help='only check that the config runs here: 2 iterations, validation, saving and loading on tiny random data; '
        'nothing is downloaded',
    )
    parser.add_argument(
        '--log',
        nargs='+',
        choices=['csv', 'tensorboard'],
        default=[],
        help='also log for TensorBoard, or write scalars.csv at the end; curves.png comes with every training',
    )
    return run(train, parser, argv)


def train(args: argparse.Namespace) -> None:
    cfg = load_config(args, needs='train_dataloader')
    if args.quick:
        if args.amp or args.resume:
            raise ConfigError('--quick goes with neither --amp nor --resume: it leaves nothing behind to resume')
        return _quick(cfg)
    if args.amp:
        use_amp(cfg)
    _amp_on_cpus(cfg)
    if 'tensorboard' in args.log:
        log_for_tensorboard(cfg)
    _set_resume(cfg, args.resume)
    splits = check_data(cfg)
    if cfg.get('load_from') and '://' not in cfg.load_from:
        _require_whole(cfg.load_from, bool(cfg.get('resume')))
    if is_main_rank():
        lock_work_dir(cfg.work_dir)
        print('\n'.join([batch_line(cfg), *map(str, splits), f'work dir: {Path(cfg.work_dir).absolute()}']), flush=True)
    runner = Runner.from_cfg(cfg)
    shorten_screen(runner.logger)
    runner.train()
    if is_main_rank():
        _draw(cfg, table='csv' in args.log)


def log_for_tensorboard(cfg: Config) -> None:
    """Adds TensorBoard's backend to the visualizer of the config.

    Raises:
        HostError: TensorBoard is not installed.
        ConfigError: The config has no visualizer.
    """
    if find_spec('tensorboard') is None:
        raise HostError("--log tensorboard needs a package: pip install 'mmrev[log]', or pip install tensorboard")
    if not cfg.get('visualizer'):
        raise ConfigError("--log tensorboard needs a visualizer in the config, such as dict(type='SegLocalVisualizer')")
    backends = cfg.visualizer.get('vis_backends') or [dict(type='LocalVisBackend')]
    if not any('Tensorboard' in str(backend['type']) for backend in backends):
        backends = [*backends, dict(type='TensorboardVisBackend')]
    cfg.visualizer.vis_backends = backends


def _draw(cfg: Config, table: bool) -> None:
    """Draws the curves. A training that ended well does not fail because of a picture."""
    try:
        print(f'curves: {", ".join(map(str, draw_training(cfg.work_dir, table)))}', flush=True)
    except (DataError, OSError) as error:
        print(f'no curves: {error}', flush=True)


def use_amp(cfg: Config) -> None:
    """Switches the config to mixed precision.

    Raises:
        ConfigError: The config's optimizer wrapper has no mixed precision.
    """
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ConfigError(f'--amp works with optim_wrapper.type=OptimWrapper, this config has {kind}: leave --amp out')
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def _amp_on_cpus(cfg: Config) -> None:
    if get_device() == 'cpu' and cfg.optim_wrapper.get('type') in ('AmpOptimWrapper', AmpOptimWrapper):
        cfg.optim_wrapper.type = 'mmrev.CPUAmpOptimWrapper'
        if is_main_rank():
            print('there is no GPU: mixed precision is bfloat16 on the CPU, without a scale of the loss')


def batch_line(cfg: Config) -> str:
    """Returns a line on the number of images in an optimizer step, and on the device."""
    images, steps = cfg.train_dataloader.batch_size, cfg.optim_wrapper.get('accumulative_counts', 1)
    processes, device = process_count(cfg.launcher), get_device()
    name = torch.cuda.get_device_name() if device == 'cuda' else f'{device}, {torch.get_num_threads()} threads'
    return (
        f'batch: {images * processes * steps} images a step ({images} x {processes} processes x {steps} '
        f'accumulated), on {name}'
    )


def _set_resume(cfg: Config, resume: str | None) -> None:
    if resume is None and cfg.get('resume') and not cfg.get('load_from'):
        resume = 'auto'
    if resume is None:
        return
    if resume == 'auto':
        resume = last_checkpoint(cfg.work_dir, say=print if is_main_rank() else lambda line: None)
        if resume is None and is_main_rank():
            print(f'nothing to resume in {cfg.work_dir}: training starts at the beginning')
    cfg.resume, cfg.load_from = resume is not None, resume or cfg.get('load_from')


def _require_whole(path: str, resume: bool) -> None:
    """Reads the checkpoint before the model is built. A broken one of a training has a neighbour, which is offered."""
    try:
        read_checkpoint(path)
    except CheckpointError as error:
        refused = isinstance(error.__cause__, ForbiddenError)
        other = _whole_beside(path) if resume and not refused and Path(path).is_file() else None
        if other is None:
            raise
        raise CheckpointError(f'{error}, or go on from the last whole one with --resume {other}') from error


def _whole_beside(path: str) -> str | None:
    try:
        return last_checkpoint(Path(path).parent, say=lambda line: None)
    except CheckpointError:
        return None


def _quick(cfg: Config) -> None:
    from mmrev.testing import quick_config, run_quick  # needs mmcv

    require_metrics(cfg)
    with tempfile.TemporaryDirectory(prefix='mmrev_quick_') as folder:
        metrics = run_quick(quick_config(cfg, Path(folder, 'data')), Path(folder, 'work_dir'))
    # a detector that finds nothing has no figures
    figures = ', '.join(f'{name} {value:.2f}' for name, value in metrics.items()) or 'no figures'
    print(
        f'quick run passed: 2 iterations, validation, saving and loading on made-up data, on {get_device()} '
        f'({figures}: of no meaning)'
    )
