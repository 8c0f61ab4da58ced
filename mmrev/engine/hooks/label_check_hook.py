"""A look at the labels that a training meets."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import all_reduce, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmrev.registry import HOOKS

# after so many batches, labels that are all ignored are no accident
BATCHES = 10


@HOOKS.register_module()
class LabelCheckHook(Hook):
    """Warns once if the labels of the first batches are all ignored, or if a pass over the data misses classes.

    Masks, boxes and class labels are looked at, on the CPU, until each class was met once. In a training with random
    crops, a class of few pixels may be left out by chance.

    Example:
        >>> LabelCheckHook().priority
        'LOW'
    """

    priority = 'LOW'

    def __init__(self) -> None:
        self.met = torch.zeros(0, dtype=torch.long)
        self.batches = self.batches_of_a_pass = 0

    def before_train(self, runner: Runner) -> None:
        loader = runner.train_dataloader
        dataset: Any = loader.dataset
        classes = getattr(dataset, 'metainfo', {}).get('classes') or ()
        size = getattr(loader.batch_sampler, 'batch_size', None) or loader.batch_size
        self.met = torch.zeros(len(classes), dtype=torch.long)
        self.batches = 0
        known = len(classes) and size and hasattr(dataset, '__len__')
        self.batches_of_a_pass = math.ceil(len(dataset) / (size * get_world_size())) if known else 0

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        if self.batches >= self.batches_of_a_pass:
            return
        self.batches += 1
        if not self.met.all():
            for labels in batch_labels(data_batch):
                inside = labels[(labels >= 0) & (labels < len(self.met))]
                self.met |= torch.bincount(inside, minlength=len(self.met)).clamp(max=1)
        if self.batches == min(BATCHES, self.batches_of_a_pass) and not self._met_anywhere().any():
            self.batches = self.batches_of_a_pass
            runner.logger.warning(
                f'all labels of the first {min(BATCHES, self.batches_of_a_pass)} batches are ignored, so nothing is '
                'learned: check the label conversion and reduce_zero_label; `mmrev check-data <config>` counts the '
                'labels'
            )
        elif self.batches == self.batches_of_a_pass:
            self._name_the_absent(runner)

    def _name_the_absent(self, runner: Runner) -> None:
        met: list[bool] = self._met_anywhere().tolist()
        classes = getattr(runner.train_dataloader.dataset, 'metainfo', {})['classes']
        absent = [str(name) for name, seen in zip(classes, met, strict=True) if not seen]
        if absent:
            more = f' and {len(absent) - 20} more' if len(absent) > 20 else ''
            runner.logger.warning(
                f'a pass over the training data met no label of {len(absent)} of {len(met)} classes, which are not '
                f'learned: {", ".join(absent[:20])}{more}. Check the label conversion and the list of classes'
            )

    def _met_anywhere(self) -> torch.Tensor:
        if get_world_size() == 1:
            return self.met > 0
        met = self.met.to(get_device())
        all_reduce(met)
        return met.cpu() > 0


def batch_labels(batch: Any) -> Iterator[torch.Tensor]:
    """Yields the labels [N] of each sample in a batch of mmseg, mmpretrain or mmdet.

    Example:
        >>> [labels.tolist() for labels in batch_labels(dict(inputs=[]))]
        []
    """
    samples = batch.get('data_samples') if isinstance(batch, dict) else None
    for sample in samples if isinstance(samples, (list, tuple)) else ():
        if 'gt_sem_seg' in sample:
            labels = sample.gt_sem_seg.data
        elif 'gt_instances' in sample:
            labels = sample.gt_instances.labels
        elif 'gt_label' in sample:
            labels = sample.gt_label
        else:
            continue
        yield torch.as_tensor(labels).flatten().long()
