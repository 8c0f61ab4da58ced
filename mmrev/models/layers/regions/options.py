"""The options of RANet's region construction."""

from dataclasses import InitVar, dataclass
from math import inf

from mmrev.errors import ConfigError, require_choice

from .similarity import SIMILARITIES


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
        owner: The name of the class that was given the options. Error messages mention it.

    Raises:
        ConfigError: The similarity is unknown, the threshold is not in [0, 1], K is below 1, or the temperature is not
            above 0.

    Example:
        >>> ConstructionOptions(threshold=1.5)
        Traceback (most recent call last):
        mmrev.errors.ConfigError: threshold=1.5: expected a number from 0 to 1
    """

    threshold: float = 0.8
    num_representatives: int = 8
    similarity: str = 'jsd'
    end_points: bool = False
    temperature: float = 1.0
    owner: InitVar[str] = ''

    def __post_init__(self, owner: str) -> None:
        of = f' of {owner}' if owner else ''
        require_choice(f'similarity{of}', self.similarity, SIMILARITIES)
        if not isinstance(self.threshold, (int, float)) or not 0 <= self.threshold <= 1:
            raise ConfigError(f'threshold={self.threshold!r}{of}: expected a number from 0 to 1')
        if self.num_representatives < 1:
            raise ConfigError(f'num_representatives={self.num_representatives}{of}: expected 1 or more')
        if not isinstance(self.temperature, (int, float)) or not 0 < self.temperature < inf:
            raise ConfigError(f'temperature={self.temperature!r}{of}: expected a number above 0')
