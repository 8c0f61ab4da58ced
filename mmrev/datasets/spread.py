"""Choosing some items of a data set."""

import numpy as np


def spread(length: int, count: int | None) -> list[int]:
    """Returns at most ``count`` evenly spaced indices below ``length``; None returns all.

    Example:
        >>> spread(11, 3)
        [0, 5, 10]
    """
    return np.unique(np.linspace(0, length - 1, min(count or length, length)).astype(int)).tolist()
