"""Training batches whose random numbers depend on the seed and on their place in the training, and on nothing else."""

import random
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import BatchSampler, DataLoader, IterableDataset

# the second number of a key, so that no two uses share their random numbers
STEPS, SAMPLES = 0, 1


def seed_all(*key: int, accelerator: bool = False) -> None:
    """Starts the random numbers of Python, NumPy and torch from a key. Similar keys give unrelated numbers.

    Args:
        key: Numbers from 0 on.
        accelerator: Also start those of GPUs.

    Example:
        >>> seed_all(7, 1)
        >>> first = random.random(), np.random.rand(), torch.rand(()).item()
        >>> seed_all(7, 1)
        >>> first == (random.random(), np.random.rand(), torch.rand(()).item())
        True
    """
    words = [int(word) for word in np.random.SeedSequence(key).generate_state(4)]
    random.seed(words[0] << 32 | words[1])
    np.random.seed(words[:2])
    if accelerator:
        torch.manual_seed(words[2] << 31 | words[3])
    else:  # torch.manual_seed takes milliseconds where CUDA has not started
        torch.default_generator.manual_seed(words[2] << 31 | words[3])


class PlacedBatch(list):
    """The indices of a batch, which know their place in the training: the epoch, and the number in it."""

    place: tuple[int, int]


class PlacedBatches:
    """The batches of a batch sampler, with their places. It takes the batch sampler's place in a data loader.

    Args:
        batches: The batch sampler. Its attributes are found here too.
        endless: Begin again at its end, with the next shuffle. This is for trainings that count no epochs.

    Example:
        >>> placed = PlacedBatches(BatchSampler(range(5), 2, drop_last=False), endless=False)
        >>> placed.epoch, placed.start = 3, 1  # the next pass starts at its second batch
        >>> [(list(batch), batch.place) for batch in placed]
        [([2, 3], (3, 1)), ([4], (3, 2))]
    """

    def __init__(self, batches: Any, endless: bool) -> None:
        self.batches, self.endless = batches, endless
        self.epoch = self.start = 0

    def __len__(self) -> int:
        return len(self.batches)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__['batches'], name)

    def __iter__(self) -> Iterator[PlacedBatch]:
        start, self.start = self.start, 0
        for number, indices in enumerate(self._again_and_again() if self.endless else self.batches):
            if number >= start:
                batch = PlacedBatch(indices)
                batch.place = self.epoch, number
                yield batch

    def _again_and_again(self) -> Iterator[Iterable]:
        shuffle, some = 0, True
        while some:
            some = False
            if hasattr(self.batches.sampler, 'set_epoch'):
                self.batches.sampler.set_epoch(shuffle)
            for indices in self.batches:
                some = True
                yield indices
            shuffle += 1


class SeededFetch:
    """Fetches the samples of a batch. Each draws its random numbers from a key of its own.

    torch calls it as ``dataset.__getitems__(batch)``, in the process that loads the batch.

    Args:
        dataset: The data set.
        key: The key's first numbers. The place of the sample follows them.
    """

    def __init__(self, dataset: Any, *key: int) -> None:
        self.dataset, self.key = dataset, key

    def __call__(self, batch: list) -> list:
        place = getattr(batch, 'place', None)
        if place is None:  # another data loader of the same data set
            return [self.dataset[index] for index in batch]
        samples = []
        for number, index in enumerate(batch):
            seed_all(*self.key, *place, number)
            samples.append(self.dataset[index])
        return samples


class LazyBatches:
    """The batches of an iteration-based training. The first call of ``next`` that returns one starts the workers.

    mmengine's own iterator starts them earlier in mmengine 0.10.7: before hooks can set their handlers of signals. To
    resume, that version calls ``next`` for each batch that is over.

    Args:
        loader: The data loader. It starts at the right batch by itself.
        over: The number of calls of ``next`` that return nothing.
    """

    def __init__(self, loader: DataLoader, over: int) -> None:
        self.loader, self.over = loader, over
        self._batches: Iterator | None = None

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        if self.over > 0:
            self.over -= 1
            return None
        if self._batches is None:
            self._batches = iter(self.loader)
        return next(self._batches)

    def skip_iter(self, count: int) -> None:
        """Later versions of mmengine call this instead. There is nothing to do."""


def place_batches(loader: DataLoader, config: Any, seed: int, endless: bool) -> PlacedBatches | str:
    """Makes the random numbers of a data loader's samples depend on the seed and on their places alone.

    Args:
        loader: The data loader. It is changed.
        config: The config that mmengine built it from. The sampler is built once more, because it may have begun, and
            because a resumed training may have got another seed.
        seed: The seed of the training.
        endless: As in PlacedBatches.

    Returns:
        The batches that the loader now has, or a text that says why it stays as it was.
    """
    if not isinstance(config, dict):
        return 'its data loader was not built from a config'
    if isinstance(loader.dataset, IterableDataset) or loader.batch_sampler is None:
        return 'its data set or its data loader has no sampler of batches'
    sampler = DATA_SAMPLERS.build(config['sampler'], default_args=dict(dataset=loader.dataset, seed=seed))
    if config.get('batch_sampler'):
        arguments = dict(sampler=sampler, batch_size=config['batch_size'])
        batches = DATA_SAMPLERS.build(config['batch_sampler'], default_args=arguments)
    else:
        batches = BatchSampler(sampler, config['batch_size'], loader.drop_last)
        _set(loader, 'sampler', sampler)
    placed = PlacedBatches(batches, endless)
    _set(loader, 'batch_sampler', placed)
    loader._iterator = None  # persistent workers that have begun with the former sampler
    dataset: Any = loader.dataset
    dataset.__getitems__ = SeededFetch(dataset, seed, SAMPLES, get_rank())
    return placed


def _set(loader: DataLoader, name: str, value: Any) -> None:
    # torch forbids this once a loader is built, for the sake of iterators that run. None runs here.
    object.__setattr__(loader, name, value)
