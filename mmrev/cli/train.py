"""Trains a config of any of the three hosts."""

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import Runner, find_latest_checkpoint

from mmrev.datasets.checks import check_data
from mmrev.engine.checkpoints import read_checkpoint
from mmrev.errors import CheckpointError, ConfigError

from .common import config_parser, is_main_rank, load_config, require_metrics, run


def main(argv: Sequence[str] | None = None) -> int:
    parser = config_parser('train', 'Train a config.')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from the last checkpoint of the work dir, or from this one',
    )
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument(
        '--quick',
        action='store_true',
        help='does it run here? 2 iterations, validation, saving and loading, on a made-up tiny copy '
        'of the data set; nothing is downloaded',
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
    _set_resume(cfg, args.resume)
    splits = check_data(cfg)
    if cfg.get('load_from') and '://' not in cfg.load_from:
        read_checkpoint(cfg.load_from)
    if is_main_rank():
        print('\n'.join([batch_line(cfg), *map(str, splits), f'work dir: {Path(cfg.work_dir).absolute()}']), flush=True)
    Runner.from_cfg(cfg).train()


def use_amp(cfg: Config) -> None:
    """Switches to mixed precision.

    Raises:
        ConfigError: There is no GPU, which mmengine's wrapper asks for, or the wrapper is of a kind that has no AMP.
    """
    if not torch.cuda.is_available():
        raise ConfigError('--amp needs a GPU, and there is none here: leave it out')
    kind = cfg.optim_wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper'):
        raise ConfigError(f'--amp works with optim_wrapper.type=OptimWrapper, this config has {kind}: leave --amp out')
    cfg.optim_wrapper.type = 'AmpOptimWrapper'
    cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')


def batch_line(cfg: Config) -> str:
    """The batch that one optimiser step sees, and the device."""
    # torchrun's, Slurm's and Open MPI's
    started = {'pytorch': 'WORLD_SIZE', 'slurm': 'SLURM_NTASKS', 'mpi': 'OMPI_COMM_WORLD_SIZE'}.get(cfg.launcher, '')
    processes = int(os.environ.get(started, 1))
    per_process, steps = cfg.train_dataloader.batch_size, cfg.optim_wrapper.get('accumulative_counts', 1)
    device = get_device()
    name = torch.cuda.get_device_name() if device == 'cuda' else f'{device}, {torch.get_num_threads()} threads'
    return (
        f'batch: {per_process * processes * steps} images a step ({per_process} x {processes} processes x {steps} '
        f'accumulated), on {name}'
    )


def _set_resume(cfg: Config, resume: str | None) -> None:
    if resume is None and cfg.get('resume') and not cfg.get('load_from'):
        resume = 'auto'
    if resume is None:
        return
    if resume == 'auto':
        resume = last_checkpoint(cfg.work_dir)
        if resume is None and is_main_rank():
            print(f'nothing to resume in {cfg.work_dir}: training starts at the beginning')
    cfg.resume, cfg.load_from = resume is not None, resume or cfg.get('load_from')


def last_checkpoint(work_dir: str) -> str | None:
    """The file that ``last_checkpoint`` names, found again in a work dir that was moved; None in one without.

    Raises:
        CheckpointError: The file is gone.
    """
    named = find_latest_checkpoint(work_dir)
    if named is None:
        return None
    for path in (Path(work_dir, Path(named).name), Path(named)):
        if path.is_file():
            return str(path)
    raise CheckpointError(
        f'{Path(work_dir, "last_checkpoint")} names {named}, which is gone: resume from another file '
        'with --resume <file>, or start anew without --resume'
    )


def _quick(cfg: Config) -> None:
    from mmrev.testing import quick_config, run_quick  # needs mmcv

    require_metrics(cfg)
    with tempfile.TemporaryDirectory(prefix='mmrev_quick_') as folder:
        metrics = run_quick(quick_config(cfg, Path(folder, 'data')), Path(folder, 'work_dir'))
    # of a detector there are none as long as it finds nothing
    figures = ', '.join(f'{name} {value:.2f}' for name, value in metrics.items()) or 'no figures'
    print(
        f'quick run passed: 2 iterations, validation, saving and loading on made-up data, on {get_device()} '
        f'({figures}: of no meaning)'
    )
