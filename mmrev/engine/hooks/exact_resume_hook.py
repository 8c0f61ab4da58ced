"""A resumed training that ends with the very weights of an uninterrupted one."""

from typing import Any

import numpy as np
import torch
from mmengine.device import get_device
from mmengine.dist import get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmengine.runner.loops import _InfiniteDataloaderIterator

from mmrev.registry import HOOKS

from ..repeatable_data import STEPS, LazyBatches, PlacedBatches, place_batches, seed_all
from ..unwrap import unwrap

# hooks and schedulers whose state mmengine does not save, or which wait for a validation that is not repeated
FORGETFUL = ('EarlyStoppingHook', 'ReduceOnPlateau')
FILES = 'files of the training data'
KEY, GRADIENTS = 'exact_resume', 'accumulated_gradients'


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Lets a resumed training end with the weights of an uninterrupted one, bit by bit.

    mmengine saves no state of the random generators. So with augmentation or dropout a resumed training differs. With
    this hook the random numbers of a step depend on the seed and on the number of the step, and nothing else. Those of
    a sample depend on the seed and on the place of the sample. So there are no states to save, and they are right
    at each point where a training can be killed, for any number of worker processes. Data that is over is not
    loaded again. A training by epochs also goes on from the middle of one.

    The hook also saves gradients that are accumulated and not yet used. Where a resumed training cannot be exact, it
    says so: with another number of processes or other data, after a change of torch, or with the early stopping of
    mmengine, whose state is not saved. Transforms that remember former images (CachedMosaic) cannot be exact with
    workers.

    Example:
        >>> ExactResumeHook().priority
        'VERY_HIGH'
    """

    priority = 'VERY_HIGH'  # before any hook that draws random numbers

    def __init__(self) -> None:
        self.seed = 0
        self.batches: PlacedBatches | str = ''
        self._checkpoint: dict | None = None
        self._now: dict[str, Any] = {}

    def resumes_within_epochs(self) -> bool:
        """Returns whether a training by epochs can be resumed in the middle of one."""
        return isinstance(self.batches, PlacedBatches)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        self._checkpoint = checkpoint if runner._resume else None

    def before_train(self, runner: Runner) -> None:
        loop, loader = runner.train_loop, runner.train_dataloader
        self._now = _circumstances(runner)
        self.seed = runner.seed - (get_rank() if runner._randomness_cfg.get('diff_rank_seed') else 0)
        if isinstance(loop, IterBasedTrainLoop):
            self.batches = place_batches(loader, runner._train_dataloader, self.seed, endless=True)
            if isinstance(self.batches, PlacedBatches):
                self.batches.start = loop.iter
                over = 0 if hasattr(_InfiniteDataloaderIterator, 'skip_iter') else loop.iter
                loop.dataloader_iterator = LazyBatches(loader, over)
        elif isinstance(loop, EpochBasedTrainLoop):
            self.batches = place_batches(loader, runner._train_dataloader, self.seed, endless=False)
            if isinstance(self.batches, PlacedBatches):
                done = loop.iter - loop.epoch * len(loader)
                self.batches.start = done if 0 <= done <= len(loader) else 0  # other data, which is said below
        else:
            self.batches = f'it has a loop of its own, {type(loop).__name__}'
        if self._checkpoint is not None:
            self._resume(runner, self._checkpoint)
            self._checkpoint = None

    def before_train_epoch(self, runner: Runner) -> None:
        if isinstance(self.batches, PlacedBatches) and not self.batches.endless:
            self.batches.epoch = runner.epoch

    def before_train_iter(self, runner: Runner, *_, **__) -> None:
        # mmengine's own seed differs between the ranks only on request
        seed_all(runner.seed, STEPS, runner.iter, accelerator=get_device() != 'cpu')

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        checkpoint['meta'][KEY] = self._now
        wrapper = runner.optim_wrapper
        if isinstance(wrapper, OptimWrapper) and not wrapper.should_update():
            checkpoint[GRADIENTS] = {
                name: weight.grad.cpu().clone()
                for name, weight in unwrap(runner.model).named_parameters()
                if weight.grad is not None
            }

    def _resume(self, runner: Runner, checkpoint: dict) -> None:
        weights = dict(unwrap(runner.model).named_parameters())
        for name, gradient in checkpoint.get(GRADIENTS, {}).items():
            weights[name].grad = gradient.to(weights[name].device)
        differences = _differences(runner, checkpoint, self._now)
        if isinstance(self.batches, str):
            differences.append(self.batches)
        if differences:
            runner.logger.warning(
                f'the training goes on, but it will differ from an uninterrupted one: {"; ".join(differences)}'
            )
        else:
            runner.logger.info('the training goes on exactly as an uninterrupted one')


def _circumstances(runner: Runner) -> dict[str, Any]:
    """Returns all that must stay the same, under the names of a message."""
    from mmrev.datasets.fingerprint import fingerprint  # its package imports the data sets of the hosts

    loader = runner.train_dataloader
    dataset: Any = loader.dataset
    return {
        'processes': get_world_size(),
        'images in the training data': len(dataset) if hasattr(dataset, '__len__') else 0,
        FILES: fingerprint(dataset),
        'images in a batch': getattr(loader.batch_sampler, 'batch_size', 0),
        'accumulated batches': getattr(runner.optim_wrapper, '_accumulative_counts', 1),
        'device': get_device(),
        'torch': str(torch.__version__),
        'NumPy': str(np.__version__),
    }


def _differences(runner: Runner, checkpoint: dict, now: dict[str, Any]) -> list[str]:
    before = checkpoint['meta'].get(KEY)
    if before is None:
        return ['the checkpoint was written without mmrev.ExactResumeHook']
    changed = [name for name in now if name in before and now[name] != before[name]]
    found = [f'{name}: {now[name]} now, {before[name]} before' for name in changed if name != FILES]
    if FILES in changed:
        found.append('the files of the training data, or their order, have changed')
    if GRADIENTS in checkpoint and now['processes'] > 1:
        found.append('the gradients that the other processes had accumulated are not in the checkpoint')
    parts = [*runner.hooks, *(runner.param_schedulers if isinstance(runner.param_schedulers, list) else ())]
    names = sorted({type(part).__name__ for part in parts if type(part).__name__.startswith(FORGETFUL)})
    found += [f'mmengine does not save all of the state of {name}' for name in names]
    if now['device'] == 'cuda' and not torch.backends.cudnn.deterministic:
        found.append('a GPU rounds differently in each run, unless the config has randomness.deterministic=True')
    return found
