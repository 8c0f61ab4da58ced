"""The three sizes of a run: the paper's, one for two CPU cores and real data, and one that shows that all works."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmrev.datasets.checks import Split, leaf_datasets
from mmrev.datasets.spread import spread
from mmrev.hosts import HOSTS

ITERATIONS = 400
EPOCHS = 10
TEST_IMAGES = 100
CROP = 160
SHORT_SIDE = 400  # of a detector's images, by the paper's 800
BATCH = {'segmentation': 4, 'classification': 32, 'detection': 2}
ALIGN = 32
WORKERS = 2

Shrink = Callable[[Config, Sequence[Split], Path], Config]


@dataclass(frozen=True)
class Budget:
    """A size of a run.

    Args:
        says: What it is, for the head of a table.
        shrink: Takes a config, the checked data sets and the folder of the run. Returns the config of this size.
        real_data: Whether it reads the real data sets.

    Example:
        >>> BUDGETS['tiny'].real_data
        False
    """

    says: str
    shrink: Shrink
    real_data: bool = True


def small(cfg: Config, splits: Sequence[Split], folder: Path) -> Config:
    """Cuts a config to what two CPU cores do in some ten minutes: fewer steps, smaller batches and crops, fewer images.

    A schedule keeps its shape. The learning rate falls with the batch size.

    Args:
        cfg: The config. It is not changed.
        splits: The checked data sets: the images are chosen evenly among theirs.
        folder: Not used.

    Example:
        >>> from mmrev.config_files import find_config
        >>> cfg = small(Config.fromfile(find_config('ran_n_r18_camvid')), [], Path())
        >>> cfg.train_cfg.max_iters, cfg.train_dataloader.batch_size, cfg.param_scheduler[0].end
        (400, 4, 400)
    """
    from mmrev.testing.quick import drop_process_groups  # needs mmcv

    cfg = copy.deepcopy(cfg)
    task = HOSTS[cfg.default_scope].task
    drop_process_groups(cfg)
    _shrink_images(cfg, task)
    images = _shrink_batch(cfg, BATCH[task])
    if 'max_iters' in cfg.train_cfg:
        _shorten(cfg, 'max_iters', ITERATIONS, images)
    else:
        _shorten(cfg, 'max_epochs', EPOCHS, 1)
        _take(cfg, 'train', splits, BATCH[task] * ITERATIONS // EPOCHS)
    if task != 'detection':  # COCO's metric asks for all images
        _take(cfg, 'test', splits, TEST_IMAGES)
    for name in ('train', 'val', 'test'):
        if loader := cfg.get(f'{name}_dataloader'):
            loader.num_workers = min(loader.num_workers, WORKERS)
    return cfg


def tiny(cfg: Config, splits: Sequence[Split], folder: Path) -> Config:
    """Cuts a config to two iterations on made-up data: ``mmrev train --quick``, in a folder that stays.

    Args:
        cfg: The config. It is not changed.
        splits: Not used.
        folder: The folder of the run. The data are written into its folder ``data``.
    """
    from mmrev.testing import quick_config  # needs mmcv

    return quick_config(cfg, folder / 'data')


def paper(cfg: Config, splits: Sequence[Split], folder: Path) -> Config:
    """Leaves a config as it is."""
    return cfg


BUDGETS = {
    'tiny': Budget('two iterations on made-up data; its figures mean nothing', tiny, real_data=False),
    'small': Budget(
        f'{ITERATIONS} steps (or {EPOCHS} short epochs) of {BATCH["segmentation"]} crops of about {CROP} pixels, '
        f'{BATCH["classification"]} images of a classifier or {BATCH["detection"]} of a detector; {TEST_IMAGES} test '
        'images (all of COCO)',
        small,
    ),
    'paper': Budget('the config as it is', paper),
}


def _shrink_images(cfg: Config, task: str) -> None:
    from mmrev.testing.quick_sizes import shrink_sizes

    if task == 'detection':
        shrink_sizes(cfg, target=SHORT_SIDE)
    if task != 'segmentation':
        return
    # Only the crops shrink: objects keep the size, in pixels, that they have in testing.
    for dataset in leaf_datasets(cfg.train_dataloader.dataset):
        for step in dataset['pipeline']:
            if 'crop_size' in step:
                step['crop_size'] = _crop(step['crop_size'])
    preprocessor = cfg.model.get('data_preprocessor') or {}
    if preprocessor.get('size'):
        preprocessor['size'] = _crop(preprocessor['size'])


def _crop(size: Any) -> Any:
    if isinstance(size, (list, tuple)):
        return type(size)(map(_crop, size))
    return min(size, CROP + size % ALIGN)  # networks may depend on the remainder


def _shrink_batch(cfg: Config, largest: int) -> float:
    """Returns by which factor the batch has shrunk."""
    loader = cfg.train_dataloader
    factor = min(1, largest / loader.batch_size)
    loader.batch_size = round(loader.batch_size * factor)
    cfg.optim_wrapper.optimizer.lr *= factor
    return factor


def _shorten(cfg: Config, key: str, length: int, images: float) -> None:
    """Cuts the training, its schedules and the annealing of RA-Net's temperature by one factor."""
    loop, by_epoch = cfg.train_cfg, key == 'max_epochs'
    factor = min(1, length / loop[key])
    loop[key] = round(loop[key] * factor)
    loop.val_interval = loop[key] + 1  # the test comes after the training
    for late in ('val_begin', 'dynamic_intervals'):
        loop.pop(late, None)
    for schedule in _schedules(cfg):
        if schedule.get('by_epoch', True) == by_epoch:
            _scale(schedule, factor)
        else:  # a warm-up in iterations
            schedule['end'] = min(schedule.get('end', ITERATIONS), ITERATIONS // 10)
    cfg.default_hooks.checkpoint.update(interval=max(1, loop[key] // 10), by_epoch=by_epoch)
    for hook in cfg.get('custom_hooks') or ():
        if hook['type'] == 'mmrev.TemperatureAnnealingHook':
            hook['epochs'] = hook.get('epochs', 10) * factor * images


def _schedules(cfg: Config) -> Iterator[dict]:
    schedules = cfg.get('param_scheduler') or []
    yield from [schedules] if isinstance(schedules, dict) else schedules


def _scale(schedule: dict, factor: float) -> None:
    for key in ('begin', 'end', 'T_max', 'total_iters', 'milestones'):
        if key in schedule:
            value = schedule[key]
            schedule[key] = [round(each * factor) for each in value] if key == 'milestones' else round(value * factor)


def _take(cfg: Config, name: str, splits: Sequence[Split], count: int) -> None:
    """Keeps some images, evenly spaced among those of all the data sets of a loader."""
    loader, checked = cfg.get(f'{name}_dataloader'), [split for split in splits if split.name == name]
    if not loader or not checked:
        return
    total = sum(split.images for split in checked)
    for dataset, split in zip(leaf_datasets(loader.dataset), checked, strict=True):
        share = round(count * split.images / total)
        if share < split.images:
            dataset['indices'] = spread(split.images, max(1, share))
