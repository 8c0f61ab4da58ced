"""Trains any OpenMMLab config for two iterations and tests it, on random data and without a download."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine import Config
from mmengine.runner import Runner, find_latest_checkpoint

from mmrev.datasets.checks import leaf_datasets
from mmrev.errors import ConfigError

from .quick_sizes import shrink_sizes
from .tiny_data import make_tiny_dataset

BATCH_SIZES = {'train': 2, 'val': 1, 'test': 1}
ITERATIONS = 2
# Square: when a pipeline resizes it and keeps the ratio, its edges are sizes that the config names and the model takes.
IMAGE_SIZE = (64, 64)


def quick_config(cfg: Config, root: str | Path) -> Config:
    """Copies a config so that it trains for two iterations of two images, on random data.

    The copy loads no weights and has small images. It has no worker processes and no process group, and uses mixed
    precision only on a GPU. The model, its losses, the optimizer, hooks and metrics stay, and the schedule keeps its
    length.

    Args:
        cfg: The config. It is not changed.
        root: The folder for the data, and for the predictions that a test server would get.

    Raises:
        ConfigError: The config trains nothing, or :func:`make_tiny_dataset` cannot imitate a data set.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from mmrev.config_files import find_config
        >>> with TemporaryDirectory() as folder:
        ...     quick = quick_config(Config.fromfile(find_config('ran_n_r18_camvid')), folder)
        >>> quick.train_cfg.max_iters, quick.train_dataloader.batch_size
        (2, 2)
    """
    if not cfg.get('train_cfg') or not cfg.get('train_dataloader'):
        raise ConfigError('a quick run trains, but this config lacks train_cfg or train_dataloader: give one with both')
    cfg = copy.deepcopy(cfg)
    cfg.load_from, cfg.resume, cfg.launcher = None, False, 'none'
    drop_pretrained(cfg.model)
    drop_process_groups(cfg)
    shrink_sizes(cfg)
    _shorten(cfg)
    for split in BATCH_SIZES:
        _use_tiny_data(cfg, split, Path(root))
    return cfg


def run_quick(cfg: Config, work_dir: str | Path) -> dict[str, float]:
    """Trains a config of :func:`quick_config`, and tests the checkpoint in a new runner.

    Args:
        cfg: The config. It is not changed.
        work_dir: The folder for the log and the checkpoint.

    Returns:
        The metrics of the test, or none where the config has no test set.
    """
    cfg = copy.deepcopy(cfg)
    cfg.work_dir = str(work_dir)
    Runner.from_cfg(cfg).train()
    cfg.load_from = find_latest_checkpoint(cfg.work_dir)
    return Runner.from_cfg(cfg).test() if cfg.get('test_dataloader') else {}


def _dicts(node: Any) -> Iterator[dict]:
    """Yields each dict in a part of a config."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for part in node:
            yield from _dicts(part)


def drop_pretrained(model: dict) -> None:
    """Changes a model's config in place so that it loads no weights."""
    for part in _dicts(model):
        part.pop('pretrained', None)
        init = part.get('init_cfg')
        if _reads_file(init):
            del part['init_cfg']
        elif isinstance(init, (list, tuple)):
            part['init_cfg'] = [step for step in init if not _reads_file(step)]


def _reads_file(init: Any) -> bool:
    return isinstance(init, dict) and init.get('type') in ('Pretrained', 'PretrainedInit')


def drop_process_groups(cfg: Config) -> None:
    """Changes a config in place so that one process can train it, without a GPU too."""
    for part in _dicts(cfg.model):
        if part.get('type') in ('SyncBN', 'MMSyncBN'):
            part['type'] = 'BN'
    if not torch.cuda.is_available() and cfg.optim_wrapper.get('type') == 'AmpOptimWrapper':
        cfg.optim_wrapper.type = 'OptimWrapper'
        for key in ('loss_scale', 'dtype', 'use_fp64'):
            cfg.optim_wrapper.pop(key, None)
    visualizer = cfg.get('visualizer') or {}
    for part in (cfg, visualizer):
        if 'vis_backends' in part:
            part['vis_backends'] = [dict(type='LocalVisBackend')]
    # mmengine keeps one visualizer for each name: a second run would write into the folder of the first one
    visualizer.pop('name', None)


def _shorten(cfg: Config) -> None:
    by_epoch = 'max_iters' not in cfg.train_cfg
    key, length = ('max_epochs', 1) if by_epoch else ('max_iters', ITERATIONS)
    for schedule in _dicts(cfg.get('param_scheduler')):
        # mmengine's default is the end of the training, and a late schedule would now begin after it
        schedule.setdefault('end', schedule.get('begin', 0) + cfg.train_cfg[key])
    for late in ('val_begin', 'dynamic_intervals'):
        cfg.train_cfg.pop(late, None)
    cfg.train_cfg.update({key: length, 'val_interval': length})
    if cfg.get('custom_hooks'):  # made-up labels miss classes, which would be said
        cfg.custom_hooks = [hook for hook in cfg.custom_hooks if hook['type'] != 'mmrev.LabelCheckHook']
    hooks = cfg.setdefault('default_hooks', {})
    hooks.setdefault('logger', dict(type='LoggerHook')).update(interval=1)
    checkpoint = hooks.setdefault('checkpoint', dict(type='CheckpointHook'))
    checkpoint.update(interval=length, by_epoch=by_epoch)
    checkpoint.pop('save_begin', None)


def _use_tiny_data(cfg: Config, split: str, root: Path) -> None:
    loader, batch_size = cfg.get(f'{split}_dataloader'), BATCH_SIZES[split]
    if not loader:
        return
    loader.pop('prefetch_factor', None)  # torch refuses it without worker processes
    loader.update(batch_size=batch_size, num_workers=0, persistent_workers=False)
    loader.dataset = make_tiny_dataset(loader.dataset, root, length=batch_size * ITERATIONS, size=IMAGE_SIZE)
    source = next(leaf_datasets(loader.dataset))
    for metric in _dicts(cfg.get(f'{split}_evaluator')):
        if metric.get('ann_file'):
            metric['ann_file'] = str(Path(source['data_root'], source['ann_file']))
        if metric.get('output_dir'):
            metric['output_dir'] = str(root / 'predictions')
