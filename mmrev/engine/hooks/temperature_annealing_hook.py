"""Annealing of the temperature in RA-Net's gates."""

import math

from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner
from torch import nn

from mmrev.arguments import Positive
from mmrev.errors import ConfigError
from mmrev.models.layers import ModifiedGRN
from mmrev.registry import HOOKS


@HOOKS.register_module()
class TemperatureAnnealingHook(Hook):
    """Sets the temperature of every ModifiedGRN, also in an averaged copy of the model (RA-Net, 2024, equation 8).

    In iteration i, counted from 0 over the whole training, the temperature is ``start + (end - start) * i / n``. There
    are n iterations in ``epochs`` epochs. From iteration n on it is ``end``. A resumed training continues the
    annealing. A checkpoint that is saved after i iterations holds the temperature of iteration i.

    Args:
        start: The temperature of the first iteration.
        end: The temperature after the annealing.
        epochs: The length in passes over the training data, also in iteration-based trainings.

    Raises:
        ConfigError: A temperature or the length is not above 0, or the model has no ModifiedGRN.

    Example:
        >>> hook = TemperatureAnnealingHook(start=30, end=1, epochs=10)
        >>> hook.iterations = 1000  # the hook counts them when the training starts
        >>> [hook.at(iteration) for iteration in (0, 500, 1000, 2000)]
        [30.0, 15.5, 1.0, 1.0]
    """

    def __init__(self, start: Positive = 30, end: Positive = 1, epochs: Positive = 10) -> None:
        self.start, self.end, self.epochs = start, end, epochs
        self.iterations = 0.0
        self._current: float | None = None

    def at(self, iteration: int) -> float:
        """Returns the temperature of an iteration."""
        return self.end + (self.start - self.end) * max(0.0, 1 - iteration / self.iterations)

    def before_train(self, runner: Runner) -> None:
        self._current = None
        self.iterations = self.epochs * iterations_an_epoch(runner)
        if not gates(runner.model):
            raise ConfigError(
                'TemperatureAnnealingHook: the model has no ModifiedGRN, so there is no temperature. Use '
                'an mmrev.RAResNet or another network with reverse attention, or leave the hook out'
            )
        self._set(runner, runner.iter)

    def before_train_iter(self, runner: Runner, *_, **__) -> None:
        self._set(runner, runner.iter)

    def after_train_iter(self, runner: Runner, *_, **__) -> None:
        self._set(runner, runner.iter + 1)

    def _set(self, runner: Runner, iteration: int) -> None:
        temperature = self.at(iteration)
        if temperature == self._current:
            return
        averaged = [hook.ema_model for hook in runner.hooks if getattr(hook, 'ema_model', None) is not None]
        for model in (runner.model, *averaged):
            for gate in gates(model):
                gate.temperature.fill_(temperature)
        self._current = temperature


def gates(model: nn.Module) -> list[ModifiedGRN]:
    """Returns the gates of a model."""
    return [module for module in model.modules() if isinstance(module, ModifiedGRN)]


def iterations_an_epoch(runner: Runner) -> int:
    """Returns the number of iterations of this process in a pass over the training data."""
    loader = runner.train_dataloader
    batch_size = getattr(loader.batch_sampler, 'batch_size', None)
    if isinstance(runner.train_loop, IterBasedTrainLoop) and isinstance(batch_size, int):
        # its sampler is usually endless, and its length is that of the data for all processes
        return math.ceil(len(loader.dataset) / (batch_size * get_world_size()))
    return len(loader)
