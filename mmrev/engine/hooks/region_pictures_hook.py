import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from mmrev.errors import ConfigError
from mmrev.registry import HOOKS


@HOOKS.register_module()
class RegionPicturesHook(Hook):
    """Draws RANet's figure 5 as the training goes: ``<work_dir>/regions/iter_1000.png`` after 1000 iterations.

    A row is a validation image with its ground truth, its object regions with their representatives, and the scores of
    equation 5, all on the whole image, whatever the test config slides over it. The images are the same every time,
    evenly spread over the data set. The training goes on as if nothing had been drawn.

    Args:
        iterations: After which to draw, counted from 1.
        interval: Draw after every so many iterations too.
        images: How many to draw.
        out: The folder in the work dir.

    Raises:
        ConfigError: There is nothing to draw or no time to: the model has no ``RegionAttentionHead``, the config no
            validation data, or neither ``iterations`` nor ``interval`` is given.
    """

    def __init__(
        self, iterations: int | Sequence[int] = (), interval: int | None = None, images: int = 4, out: str = 'regions'
    ) -> None:
        iterations = [iterations] if isinstance(iterations, int) else [*iterations]
        asked = [*iterations, *([] if interval is None else [interval])]
        if not asked or min(*asked, images) < 1:
            raise ConfigError(
                f'RegionPicturesHook(iterations={iterations}, interval={interval}, images={images}): '
                'give iterations to draw after or an interval; all must be 1 or more'
            )
        self.iterations, self.interval, self.images, self.out = set(iterations), interval, images, out

    def before_train(self, runner: Runner) -> None:
        if not hasattr(getattr(_unwrap(runner.model), 'decode_head', None), 'regions'):
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
        with _aside(_unwrap(runner.model)) as model:
            self._draw(path, model, runner.val_dataloader.dataset)
        runner.logger.info(f'regions: {path}')

    def _draw(self, path: Path, model: nn.Module, dataset: torch.utils.data.Dataset) -> None:
        # mmsegmentation, which other users of this folder need not have
        from mmrev.visualization.ranet_figures import draw_regions
        from mmrev.visualization.samples import sample_of, spread

        samples = [sample_of(dataset[index], model) for index in spread(len(dataset), self.images)]
        draw_regions(path, samples, dataset.metainfo['palette'])


@contextmanager
def _aside(model: nn.Module) -> Iterator[nn.Module]:
    """The model in evaluation mode; each module's own mode and the random states come back."""
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


def _unwrap(model: nn.Module) -> nn.Module:
    return model.module if is_model_wrapper(model) else model
