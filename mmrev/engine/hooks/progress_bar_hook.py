"""A progress bar for trainings."""

import sys
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmrev.registry import HOOKS


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """Shows a bar over the iterations of an iteration-based training, with the loss. The logs stay as they are.

    Args:
        label: The text before the bar.

    Example:
        >>> ProgressBarHook(label='RAN').label
        'RAN'
    """

    def __init__(self, label: str = 'train') -> None:
        self.label = label
        self.bar: Any = None

    def before_train(self, runner: Runner) -> None:
        from tqdm import tqdm  # no OpenMMLab package requires it

        # without a terminal, every refresh adds a line
        interval = 0.2 if sys.stderr.isatty() else 10
        self.bar = tqdm(
            total=runner.max_iters,
            initial=runner.iter,
            desc=self.label,
            unit='it',
            mininterval=interval,
            dynamic_ncols=True,
        )

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        if outputs and 'loss' in outputs:
            self.bar.set_postfix(loss=f'{outputs["loss"].item():.3f}', refresh=False)
        self.bar.update()

    def after_train(self, runner: Runner) -> None:
        self.bar.close()
