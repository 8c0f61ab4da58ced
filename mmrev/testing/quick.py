"""Two training iterations and a test of any OpenMMLab config, on random data, without a download."""

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
# Square: resized with its ratio kept, such an image has edges that the config itself names, which its net can take.
IMAGE_SIZE = (64, 64)


def quick_config(cfg: Config, root: str | Path) -> Config:
    """A copy of `cfg` that trains for two iterations of two images, on random data that this writes below `root`.

    No weights are loaded, images are small, there are no worker processes and no process group, and mixed precision is
    left to GPUs. Predictions for a test server go below `root` too. The model, its losses, the optimizer, its schedule
    (which keeps its length), hooks and metrics stay.

    Raises ConfigError if the config trains nothing or has a data set that `make_tiny_dataset` does not know.
    """
    if not cfg.get('train_cfg') or not cfg.get('train_dataloader'):
        raise ConfigError('a quick run trains, but this config lacks train_cfg or train_dataloader: give one with both')
    cfg = copy.deepcopy(cfg)
    cfg.load_from, cfg.resume, cfg.launcher = None, False, 'none'
    _drop_pretrained(cfg.model)
    _drop_process_groups(cfg)
    shrink_sizes(cfg)
    _shorten(cfg)
    for split in BATCH_SIZES:
        _use_tiny_data(cfg, split, Path(root))
    return cfg


def run_quick(cfg: Config, work_dir: str | Path) -> dict[str, float]:
    """Train `cfg` (from `quick_config`), load the checkpoint into a new runner, test that, and return its metrics.

    `work_dir` gets the log and the checkpoint. A config without a test set is trained only: no metrics.
    """
    cfg = copy.deepcopy(cfg)
    cfg.work_dir = str(work_dir)
    Runner.from_cfg(cfg).train()
    cfg.load_from = find_latest_checkpoint(cfg.work_dir)
    return Runner.from_cfg(cfg).test() if cfg.get('test_dataloader') else {}


def _dicts(node: Any) -> Iterator[dict]:
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, (list, tuple)) else ():
        yield from _dicts(part)


def _drop_pretrained(model: dict) -> None:
    def from_file(init: Any) -> bool:
        return isinstance(init, dict) and init.get('type') in ('Pretrained', 'PretrainedInit')

    for part in list(_dicts(model)):
        part.pop('pretrained', None)
        init = part.get('init_cfg')
        if from_file(init):
            del part['init_cfg']
        elif isinstance(init, (list, tuple)):
            part['init_cfg'] = [step for step in init if not from_file(step)]


def _drop_process_groups(cfg: Config) -> None:
    for part in _dicts(cfg.model):
        if part.get('type') in ('SyncBN', 'MMSyncBN'):
            part['type'] = 'BN'
    if not torch.cuda.is_available() and cfg.optim_wrapper.get('type') == 'AmpOptimWrapper':
        cfg.optim_wrapper.type = 'OptimWrapper'
        for key in ('loss_scale', 'dtype', 'use_fp64'):
            cfg.optim_wrapper.pop(key, None)
    for part in [cfg, cfg.get('visualizer') or {}]:
        if 'vis_backends' in part:
            part['vis_backends'] = [dict(type='LocalVisBackend')]
    # mmengine hands out one visualizer a name and process: a second run would write into the first one's folder
    (cfg.get('visualizer') or {}).pop('name', None)


def _shorten(cfg: Config) -> None:
    by_epoch = 'max_iters' not in cfg.train_cfg
    key, length = ('max_epochs', 1) if by_epoch else ('max_iters', ITERATIONS)
    for schedule in _dicts(cfg.get('param_scheduler')):
        # mmengine's default is the end of the training, which now comes before a late schedule's begin
        schedule.setdefault('end', schedule.get('begin', 0) + cfg.train_cfg[key])
    for late in ('val_begin', 'dynamic_intervals'):
        cfg.train_cfg.pop(late, None)
    cfg.train_cfg.update({key: length, 'val_interval': length})
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
