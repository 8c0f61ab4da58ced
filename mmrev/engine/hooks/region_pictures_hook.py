"""Pictures of RANet's regions during the training."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from mmrev.arguments import Count
from mmrev.errors import ConfigError
from mmrev.registry import HOOKS

from ..unwrap import unwrap


@HOOKS.register_module()
class RegionPicturesHook(Hook):
    """Draws RANet's figure 5 during the training, for example ``<work_dir>/regions/iter_1000.png``.

    A row has a validation image with its ground truth, its object regions with their representatives, and the scores of
    equation 5. All are computed on the whole image, even if the test config slides a window over it. The images are
    evenly spread over the data set, and the same each time. Drawing does not change the training.

    Args:
        iterations: Draw after these iterations, counted from 1.
        interval: Draw after every ``interval`` iterations too.
        images: The number of images.
        out: The folder in the work dir.

    Raises:
        ConfigError: The model has no ``RegionAttentionHead``, the config has no validation data, or neither
            ``iterations`` nor ``interval`` is given.

    Example:
        >>> sorted(RegionPicturesHook(iterations=[10, 1000], images=2).iterations)
        [10, 1000]
    """

    def __init__(
        self,
        iterations: Count | Sequence[Count] = (),
        interval: Count | None = None,
        images: Count = 4,
        out: str = 'regions',
    ) -> None:
        iterations = [iterations] if isinstance(iterations, int) else [*iterations]
        if not iterations and interval is None:
            raise ConfigError('RegionPicturesHook never draws: give it iterations to draw after, or an interval')
        self.iterations, self.interval, self.images, self.out = set(iterations), interval, images, out

    def before_train(self, runner: Runner) -> None:
        if not hasattr(getattr(unwrap(runner.model), 'decode_head', None), 'regions'):
            raise ConfigError(
                'RegionPicturesHook: the model has no regions. Use an mmrev.RegionAttentionHead, or leave the hook out'
            )
        if runner.val_loop is None:
            raise ConfigError(
                'RegionPicturesHook draws validation images, and the config has none: give it a '
                'val_dataloader, val_cfg and val_evaluator, or leave the hook out'
            )

    def after_train_iter(self, runner: Runner, *_, **__) -> None:
        iteration = runner.iter + 1
        due = iteration in self.iterations or (self.interval and iteration % self.interval == 0)
        if not due or not is_main_process():
            return
        path = Path(runner.work_dir, self.out, f'iter_{iteration}.png')
        path.parent.mkdir(parents=True, exist_ok=True)
        with _aside(unwrap(runner.model)) as model:
            self._draw(path, model, runner.val_dataloader.dataset)
        runner.logger.info(f'regions: {path}')

    def _draw(self, path: Path, model: nn.Module, dataset: BaseDataset) -> None:
        # these need mmseg, and a user of the other hooks may not have it
        from mmrev.datasets.spread import spread  # its package imports the data sets of the hosts
        from mmrev.visualization.ranet_figures import draw_regions
        from mmrev.visualization.samples import sample_of

        samples = [sample_of(dataset[index], model) for index in spread(len(dataset), self.images)]
        draw_regions(path, samples, dataset.metainfo['palette'])


@contextmanager
def _aside(model: nn.Module) -> Iterator[nn.Module]:
    """Sets evaluation mode, and restores the mode of each module and the random states afterwards."""
    modes = {module: module.training for module in model.modules()}
    states = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng([torch.cuda.current_device()] if torch.cuda.is_available() else []):
            yield model.eval()
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        for module, mode in modes.items():
            module.training = mode
