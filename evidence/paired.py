"""Paired comparisons over seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Difference:
    """The mean of paired differences, with a 95 % interval.

    Args:
        mean: The mean difference.
        low: The lower end of the interval (Student's t).
        high: The upper end.
        wins: The number of pairs with a positive difference.
        pairs: The number of pairs.
        needed: About how many pairs would decide a true difference of this mean: 8 (sd / mean)², at least 2. None if
            the mean is 0 or one pair gives no spread.
    """

    mean: float
    low: float
    high: float
    wins: int
    pairs: int
    needed: int | None

    @property
    def decided(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        return f'{self.mean:+.2f} [{self.low:+.2f}, {self.high:+.2f}], {self.wins} of {self.pairs}'


def paired(ours: Sequence[float], theirs: Sequence[float]) -> Difference:
    """Compares two methods that ran with the same seeds.

    Example:
        >>> print(paired([2.0, 3.0, 4.0], [1.0, 2.0, 2.0]))
        +1.33 [-0.10, +2.77], 3 of 3
    """
    differences = np.subtract(ours, theirs)
    mean, count = float(differences.mean()), len(differences)
    deviation = float(differences.std(ddof=1)) if count > 1 else float('nan')
    half = float(stats.t.ppf(0.975, count - 1)) * deviation / sqrt(count) if count > 1 else float('nan')
    needed = max(2, ceil(8 * (deviation / mean) ** 2)) if mean and count > 1 else None
    return Difference(mean, mean - half, mean + half, int((differences > 0).sum()), count, needed)


def bootstrap_over_images(
    ours: np.ndarray, theirs: np.ndarray, rounds: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """The 95 % interval of the difference in mIoU when the test images are drawn anew.

    Args:
        ours: Confusion matrices, one an image and summed over the seeds, [images, N, N].
        theirs: Those of the other method on the same images.
        rounds: How often images are drawn.
        seed: Of the drawing.
    """
    rng, found = np.random.default_rng(seed), []
    for _ in range(rounds):
        chosen = rng.integers(len(ours), size=len(ours))
        found.append(mean_iou(ours[chosen].sum(0)) - mean_iou(theirs[chosen].sum(0)))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def mean_iou(confusion: np.ndarray) -> float:
    """mIoU in percent of a confusion matrix [N, N] (rows are the truth), over the classes that occur.

    Example:
        >>> mean_iou(np.array([[8, 2], [0, 10]]))
        81.66...
    """
    hits = np.diag(confusion)
    union = confusion.sum(0) + confusion.sum(1) - hits
    there = confusion.sum(1) > 0
    return float(100 * (hits[there] / union[there]).mean())
