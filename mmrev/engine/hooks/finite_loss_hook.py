"""An end of a training whose loss is no number."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmrev.errors import TrainingError
from mmrev.registry import HOOKS

from ..work_dirs import newest_checkpoint

# iterations over which a loss is averaged, and how far its average may rise above that of the first ones
WINDOW, RISE = 20, 5


@HOOKS.register_module()
class FiniteLossHook(Hook):
    """Stops a training whose loss is NaN or infinite, before a checkpoint is written.

    It also warns once if the loss diverges. The error names the iteration, the part of the loss, the images of the
    batch and the last good checkpoint. mmengine copies each loss to the CPU for its log, and the hook reads it there.
    So it costs no time on a GPU.

    Raises:
        TrainingError: The loss is NaN or infinite.

    Example:
        >>> FiniteLossHook().priority
        'NORMAL'
    """

    priority = 'NORMAL'  # after mmengine has copied the losses, and before the hook of checkpoints

    def __init__(self) -> None:
        self._warned = False

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        values = {name: _value(runner, name, value) for name, value in (outputs or {}).items() if 'loss' in name}
        if all(map(math.isfinite, values.values())):
            self._warn_of_divergence(runner)
            return
        broken = [name for name, value in values.items() if not math.isfinite(value)]
        parts = [name for name in broken if name != 'loss'] or broken
        more = f' and {len(parts) - 3} more' if len(parts) > 3 else ''
        images = ', '.join(image_names(data_batch)) or 'unknown images'
        raise TrainingError(
            f'iteration {runner.iter + 1}: the loss is {values[broken[0]]} ({", ".join(parts[:3])}{more}), '
            f'for {images}. {_history(runner)}. {_good(runner.work_dir)}'
        )

    def _warn_of_divergence(self, runner: Runner) -> None:
        losses = _finite_losses(runner)
        if self._warned or len(losses) < 2 * WINDOW:
            return
        first, now = _mean(losses[:WINDOW]), _mean(losses[-WINDOW:])
        if first > 0 and now > RISE * first:
            self._warned = True
            runner.logger.warning(
                f'the training diverges: the loss rose from {first:.3g} in the first {WINDOW} iterations to {now:.3g}. '
                f'The learning rate {_rate(runner)} may be too high'
            )


def image_names(batch: Any) -> Iterator[str]:
    """Yields the paths of the images in a batch of any host.

    Example:
        >>> list(image_names(dict(data_samples=[dict(img_path='a.png'), dict(img_path='b.png')])))
        ['a.png', 'b.png']
    """
    name = batch.get('img_path') if hasattr(batch, 'get') else None
    if isinstance(name, str):
        yield name
        return
    for part in batch.values() if isinstance(batch, dict) else batch if isinstance(batch, (list, tuple)) else ():
        yield from image_names(part)


def _value(runner: Runner, name: str, value: Any) -> float:
    logged = runner.message_hub.log_scalars.get(f'train/{name}')
    return float(value) if logged is None else float(logged.current())


def _finite_losses(runner: Runner) -> Any:
    logged = runner.message_hub.log_scalars.get('train/loss')
    return () if logged is None else logged.data[0]


def _mean(losses: Any) -> float:
    finite = [loss for loss in losses if math.isfinite(loss)]
    return sum(finite) / len(finite) if finite else math.nan


def _history(runner: Runner) -> str:
    losses = _finite_losses(runner)[:-1]
    half = max(1, len(losses) // 2)
    first, before = _mean(losses[: min(WINDOW, half)]), _mean(losses[-min(3, half) :])
    if before > 2 * first:
        return f'The loss had risen from {first:.3g} to {before:.3g}: the learning rate {_rate(runner)} is too high'
    return f'Look at these images and their labels, or lower the learning rate {_rate(runner)}'


def _rate(runner: Runner) -> str:
    rates = runner.optim_wrapper.get_lr()
    return f'{max(next(iter(rates.values()))):.3g}' if rates else ''


def _good(work_dir: str) -> str:
    found = newest_checkpoint(Path(work_dir), _is_finite)
    if found is None:
        return 'No good checkpoint was saved yet'
    return (
        f'The last good checkpoint is {found[1]}: start from it with --cfg-options load_from={found[1]} and a lower '
        'optim_wrapper.optimizer.lr'
    )


def _is_finite(checkpoint: dict) -> bool:
    weights = checkpoint.get('state_dict', {}).values()
    return all(weight.isfinite().all() for weight in weights if weight.is_floating_point())
