"""The answer of a model for a picture.

Shapes: H x W the picture.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .sources import Source


@dataclass(frozen=True)
class Prediction:
    """A picture and what the model says about it.

    Args:
        source: Where the picture comes from.
        picture: RGB as a viewer shows it, [H, W, 3] uint8.
        sample: The host's data sample, with ``pred_sem_seg``, ``pred_instances`` or ``pred_score``.
    """

    source: Source
    picture: np.ndarray
    sample: Any


def as_array(values: Any) -> np.ndarray:
    """Returns a tensor of torch on any device, or an array, as an array.

    Example:
        >>> as_array(np.zeros(2)).tolist()
        [0.0, 0.0]
    """
    return values.detach().float().cpu().numpy() if hasattr(values, 'detach') else np.asarray(values)
