"""The protocol of all studies: tune the learning rate of each method, then score each method with paired seeds."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from tqdm import tqdm

from .runs import Run, RunLog
from .sources import Sources

MOST_RATES = 8


class Study(ABC):
    """One comparison. Its docstring holds the hypotheses, which were written down before the runs.

    Args:
        sources: The folders.
        steps: The number of steps of each training. By default that of the study.
    """

    name: ClassVar[str]  # of its CSV
    title: ClassVar[str]
    methods: ClassVar[Sequence[str]]  # the first is the baseline
    rates: ClassVar[Sequence[float]]  # the first grid
    measures: ClassVar[Sequence[str]]  # in percent; the first decides
    default_steps: ClassVar[int]
    hours: ClassVar[float]  # on one core
    tuning_seeds: ClassVar[Sequence[int]] = (100, 101)
    seeds: ClassVar[Sequence[int]] = range(10)

    def __init__(self, sources: Sources, steps: int | None = None) -> None:
        self.sources, self.steps = sources, steps or self.default_steps
        self.device = torch.device(sources.device)
        self.kept = sources.work_dir / 'kept' / self.name  # what is not committed, such as confusion matrices
        self.kept.mkdir(parents=True, exist_ok=True)

    @abstractmethod
    def train(self, method: str, seed: int, rate: float) -> Any:
        """Trains a model. With one seed, all methods have the same batches, and the same initial weights they share."""

    @abstractmethod
    def validate(self, model: Any) -> float:
        """Returns the score on the validation images, in percent."""

    @abstractmethod
    def test(self, model: Any, method: str, seed: int) -> dict[str, float]:
        """Returns all measures on the test images, in percent."""


def run_study(study: Study, log: RunLog, seeds: Sequence[int], most_rates: int = MOST_RATES) -> None:
    """Runs what the log does not hold yet. A run is in the log when it has ended.

    The baseline runs first with each seed, so that others can start from it or be measured where it is unsure.

    Args:
        study: The study.
        log: The runs that are kept.
        seeds: The seeds of the scored runs.
        most_rates: As in :func:`tune`.
    """
    methods = tqdm(study.methods, desc=f'{study.name}: rates')
    rates = {method: tune(study, log, method, most_rates) for method in methods}
    for seed in tqdm(seeds, desc=f'{study.name}: seeds'):
        for method, rate in rates.items():
            key = ('final', method, seed, rate, study.steps)
            if key not in log.runs:
                began = time.perf_counter()
                model = study.train(method, seed, rate)
                seconds = round(time.perf_counter() - began, 1)
                log.add(Run(*key, seconds, study.test(model, method, seed)))


def is_done(study: type[Study], log: RunLog, seeds: Sequence[int]) -> bool:
    """Returns whether the log holds a scored run of each method with each seed."""
    return all(set(seeds) <= {run.seed for run in log.final(method)} for method in study.methods)


def tune(study: Study, log: RunLog, method: str, most_rates: int = MOST_RATES) -> float:
    """Returns the best learning rate on the validation images, over seeds that are not scored later.

    The grid grows by factors of 2 until the best rate is inside it, or until it has ``most_rates``.
    """
    rates = sorted(study.rates)[:most_rates]
    while True:
        scores = [
            np.mean([_validated(study, log, method, seed, rate) for seed in study.tuning_seeds]) for rate in rates
        ]
        best = int(np.argmax(scores))
        if 0 < best < len(rates) - 1 or len(rates) >= most_rates:
            return rates[best]
        rates = [rates[0] / 2, *rates] if best == 0 else [*rates, rates[-1] * 2]


def _validated(study: Study, log: RunLog, method: str, seed: int, rate: float) -> float:
    key = ('tune', method, seed, rate, study.steps)
    if key not in log.runs:
        began = time.perf_counter()
        model = study.train(method, seed, rate)
        seconds = round(time.perf_counter() - began, 1)
        log.add(Run(*key, seconds, {study.measures[0]: study.validate(model)}))
    return log.runs[key].scores[study.measures[0]]
