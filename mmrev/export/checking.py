"""Comparison of an exported file with the network that it was made of."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mmrev.errors import CheckpointError

from .formats import Run

DIFFERENCE = 1e-4  # of scores, and relative to the largest score where that is above 1
AGREEMENT = 0.999  # of top labels on real images


@dataclass
class Comparison:
    """The largest difference of the outputs, and the share of equal top labels.

    Args:
        difference: The largest difference of two numbers.
        relative: The same, divided by the largest number where that is above 1.
        equal: The number of equal top labels.
        labels: The number of all top labels.
    """

    difference: float = 0.0
    relative: float = 0.0
    equal: int = 0
    labels: int = 0

    @property
    def agreement(self) -> float:
        return self.equal / max(self.labels, 1)

    def add(self, ours: np.ndarray, expected: np.ndarray, labelled: bool) -> None:
        """Adds a pair of outputs. ``labelled``: the largest along the second axis is the label."""
        if ours.shape != expected.shape:
            raise CheckpointError(
                f'the exported file gives {list(ours.shape)} where torch gives {list(expected.shape)}'
            )
        if np.issubdtype(ours.dtype, np.integer):
            self.equal, self.labels = self.equal + int((ours == expected).sum()), self.labels + ours.size
            return
        apart = float(np.abs(ours - expected).max(initial=0))
        apart = apart if np.isfinite(ours).all() == np.isfinite(expected).all() else float('inf')
        self.difference = max(self.difference, apart)
        self.relative = max(self.relative, apart / max(1.0, float(np.abs(expected).max(initial=0))))
        if not labelled:
            return
        same = ours.argmax(1) == expected.argmax(1) if ours.shape[1] > 1 else (ours > 0) == (expected > 0)
        self.equal, self.labels = self.equal + int(same.sum()), self.labels + same.size


def compare(run: Run, network: nn.Module, batches: Iterable[Tensor], labelled: bool = True) -> Comparison:
    """Runs an exported file and its network on the same images.

    Raises:
        CheckpointError: The file does not run, or gives other shapes.
    """
    found = Comparison()
    for images in batches:
        with torch.no_grad():
            expected = network(images)
        try:
            ours = run(images)
        except Exception as error:  # onnxruntime and torch raise many types
            reason = ' '.join(str(error).split())[:200]
            raise CheckpointError(
                f'the exported file does not run on images of {list(images.shape)}: {reason}. Nothing was written'
            ) from error
        parts = [expected] if isinstance(expected, Tensor) else expected
        for one, other in zip(ours, parts, strict=True):
            found.add(one, other.numpy(), labelled)
    return found


def require_equal(found: Comparison, real: bool) -> None:
    """Refuses a file that differs from its network.

    Raises:
        CheckpointError: It differs by more than ``DIFFERENCE``, or on real images in more labels than ``AGREEMENT``.
    """
    if not found.relative <= DIFFERENCE:
        raise CheckpointError(
            f'the exported file is wrong: its outputs differ by {found.difference:.2g} from those of torch, expected '
            f'{DIFFERENCE:g} of the largest output at most. Nothing was written'
        )
    if real and found.labels and found.agreement < AGREEMENT:
        raise CheckpointError(
            f'the exported file is wrong: {100 * found.agreement:.2f} % of its top labels are those of torch, expected '
            f'{100 * AGREEMENT:g} %. Nothing was written'
        )
