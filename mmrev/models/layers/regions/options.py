"""The options of RANet's region construction."""

from dataclasses import dataclass

from mmrev.arguments import Count, Positive, Share, checked
from mmrev.errors import require_choice

from .similarity import SIMILARITIES


@checked
@dataclass(frozen=True)
class ConstructionOptions:
    """The options of region construction, checked.

    Args:
        threshold: Two pixels belong together when the mean of F_ij and F_ji is above it.
        num_representatives: K. A region with fewer than K pixels has all of them as representatives.
        similarity: ``'jsd'`` (equation 2), ``'binary_jsd'`` (the authors' code), or another name in ``SIMILARITIES``.
        end_points: Whether the line of equation 1 includes the two pixels. Only then does a boundary keep neighbours
            apart. False is the authors' code.
        temperature: The class scores are divided by it before equation 4 decides which pixels belong together. Below 1
            it sharpens them, so that a soft transition does not join two objects. J keeps the scores as they are.

    Raises:
        ConfigError: The similarity is unknown, the threshold is not in [0, 1], K is below 1, or the temperature is not
            above 0.

    Example:
        >>> ConstructionOptions(threshold=1.5)
        Traceback (most recent call last):
        mmrev.errors.ConfigError: ConstructionOptions(threshold=1.5): expected a number of at least 0 and at most 1
    """

    threshold: Share = 0.8
    num_representatives: Count = 8
    similarity: str = 'jsd'
    end_points: bool = False
    temperature: Positive = 1.0

    def __post_init__(self) -> None:
        require_choice('similarity', self.similarity, SIMILARITIES)
