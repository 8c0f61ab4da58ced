"""The files that each kind of model writes: masks, boxes or labels."""

from .base import Options, Task
from .classification import Labels
from .detection import Boxes
from .segmentation import Masks

TASKS: dict[str, type[Task]] = {'segmentation': Masks, 'classification': Labels, 'detection': Boxes}

__all__ = ['TASKS', 'Boxes', 'Labels', 'Masks', 'Options', 'Task']
