"""The three sizes of a run: the paper's, one for two CPU cores, and one that shows that all works."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmrev.datasets.checks import Split, leaf_datasets
from mmrev.datasets.spread import spread
from mmrev.errors import require_choice
from mmrev.hosts import HOSTS

ALIGN = 32
WORKERS = 2


@dataclass(frozen=True)
class Size:
    """How far a config is cut.

    Args:
        iterations: The steps of a training by iterations. One by epochs has as many in all its epochs.
        epochs: The epochs of a training by epochs.
        batch: The images of a step, by the task.
        crop: The edge of a crop in segmentation.
        short_side: The short side of a detector's images. The paper's is 800.
        test_images: The images of a test, except for a detector.
        pretrained: Whether the training starts from pretrained weights, as in the paper.

    Example:
        >>> SIZES['tiny'].iterations
        20
    """

    iterations: int
    epochs: int
    batch: Mapping[str, int]
    crop: int
    short_side: int
    test_images: int
    pretrained: bool

    def __str__(self) -> str:
        weights, batch = 'pretrained' if self.pretrained else 'random', self.batch
        return (
            f'{self.iterations} steps from {weights} weights, of {batch["segmentation"]} crops of about {self.crop} '
            f'pixels, {batch["classification"]} images of a classifier or {batch["detection"]} of a detector; '
            f'{self.test_images} test images (a detector: all)'
        )


SIZES = {
    'tiny': Size(
        iterations=20,
        epochs=2,
        batch=dict(segmentation=2, classification=8, detection=1),
        crop=96,
        short_side=128,
        test_images=8,
        pretrained=False,
    ),
    'small': Size(
        iterations=400,
        epochs=10,
        batch=dict(segmentation=4, classification=32, detection=2),
        crop=160,
        short_side=400,
        test_images=100,
        pretrained=True,
    ),
}
BUDGETS = {**{name: str(size) for name, size in SIZES.items()}, 'paper': 'the config as it is'}

MADE_UP = 'two iterations on made-up data; the figures mean nothing'


def shrink(cfg: Config, budget: str, splits: Sequence[Split]) -> Config:
    """Cuts a config to the size of a budget. A schedule keeps its shape. The learning rate falls with the batch size.

    Args:
        cfg: The config. It is not changed.
        budget: ``'tiny'``, ``'small'``, or ``'paper'`` for the config as it is.
        splits: The checked data sets: the images are chosen evenly among theirs.

    Raises:
        ConfigError: The budget is unknown.

    Example:
        >>> from mmrev.config_files import find_config
        >>> cfg = shrink(Config.fromfile(find_config('ran_n_r18_camvid')), 'small', [])
        >>> cfg.train_cfg.max_iters, cfg.train_dataloader.batch_size, cfg.param_scheduler[0].end
        (400, 4, 400)
    """
    from mmrev.testing.quick import drop_pretrained, drop_process_groups  # needs mmcv

    require_choice('budget', budget, BUDGETS)
    if budget == 'paper':
        return cfg
    cfg, size = copy.deepcopy(cfg), SIZES[budget]
    task = HOSTS[cfg.default_scope].task
    drop_process_groups(cfg)
    if not size.pretrained:
        cfg.load_from = None
        drop_pretrained(cfg.model)
    _shrink_images(cfg, task, size)
    factor = _shrink_batch(cfg, size.batch[task])
    if 'max_iters' in cfg.train_cfg:
        _shorten(cfg, 'max_iters', size.iterations, size, factor)
    else:
        _shorten(cfg, 'max_epochs', size.epochs, size, 1)
        _take(cfg, 'train', splits, size.batch[task] * size.iterations // size.epochs)
    if task != 'detection':  # COCO's metric asks for all images
        _take(cfg, 'test', splits, size.test_images)
    _limit_workers(cfg)
    return cfg


def made_up(cfg: Config, folder: Path) -> Config:
    """Cuts a config to two iterations on made-up data, as ``mmrev train --quick`` does.

    Args:
        cfg: The config. It is not changed.
        folder: The folder of the run. The data are written into its folder ``data``.
    """
    from mmrev.testing import quick_config  # needs mmcv

    return quick_config(cfg, folder / 'data')


def _shrink_images(cfg: Config, task: str, size: Size) -> None:
    from mmrev.testing.quick_sizes import shrink_sizes

    if task == 'detection':
        shrink_sizes(cfg, target=size.short_side)
    if task != 'segmentation':
        return
    # Only the crops shrink: objects keep the size, in pixels, that they have in testing.
    for dataset in leaf_datasets(cfg.train_dataloader.dataset):
        for step in dataset['pipeline']:
            if 'crop_size' in step:
                step['crop_size'] = _crop(step['crop_size'], size.crop)
    preprocessor = cfg.model.get('data_preprocessor') or {}
    if preprocessor.get('size'):
        preprocessor['size'] = _crop(preprocessor['size'], size.crop)


def _crop(old: Any, new: int) -> Any:
    if isinstance(old, (list, tuple)):
        return type(old)(_crop(edge, new) for edge in old)
    return min(old, new + old % ALIGN)  # networks may depend on the remainder


def _shrink_batch(cfg: Config, largest: int) -> float:
    """Returns by which factor the batch has shrunk."""
    loader = cfg.train_dataloader
    factor = min(1, largest / loader.batch_size)
    loader.batch_size = round(loader.batch_size * factor)
    cfg.optim_wrapper.optimizer.lr *= factor
    return factor


def _shorten(cfg: Config, key: str, length: int, size: Size, images: float) -> None:
    """Cuts the training, its schedules and the annealing of RA-Net's temperature by one factor."""
    loop, by_epoch = cfg.train_cfg, key == 'max_epochs'
    factor = min(1, length / loop[key])
    loop[key] = round(loop[key] * factor)
    for late in ('val_begin', 'dynamic_intervals'):
        loop.pop(late, None)
    # the test comes after the training, and mmengine validates at its end whatever the interval
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    for schedule in _schedules(cfg):
        if schedule.get('by_epoch', True) == by_epoch:
            _scale(schedule, factor)
        else:  # a warm-up in iterations
            warm_up = max(1, size.iterations // 10)
            schedule['end'] = min(schedule.get('end', warm_up), warm_up)
    cfg.default_hooks.checkpoint.update(interval=max(1, loop[key] // 10), by_epoch=by_epoch)
    for hook in cfg.get('custom_hooks') or ():
        if hook['type'] == 'mmrev.TemperatureAnnealingHook':
            hook['epochs'] = hook.get('epochs', 10) * factor * images


def _schedules(cfg: Config) -> Iterator[dict]:
    schedules = cfg.get('param_scheduler') or []
    yield from [schedules] if isinstance(schedules, dict) else schedules


def _scale(schedule: dict, factor: float) -> None:
    if 'begin' in schedule:
        schedule['begin'] = round(schedule['begin'] * factor)
    if 'milestones' in schedule:
        schedule['milestones'] = [round(milestone * factor) for milestone in schedule['milestones']]
    for key in ('end', 'T_max', 'total_iters', 'total_steps'):
        if key in schedule:
            schedule[key] = max(1, round(schedule[key] * factor))


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


def _limit_workers(cfg: Config) -> None:
    for name in ('train', 'val', 'test'):
        if loader := cfg.get(f'{name}_dataloader'):
            loader.num_workers = min(loader.num_workers, WORKERS)
