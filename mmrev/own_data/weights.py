"""The user's own weights of a backbone."""

from pathlib import Path

from mmrev.engine.checkpoints import read_checkpoint, state_dict_of
from mmrev.errors import CheckpointError
from mmrev.prediction.names import shown

PREFIX = 'backbone.'


def prefix_of(path: str) -> str | None:
    """Returns the prefix of the backbone's keys in a file of weights: a whole model has one, a bare backbone has none.

    Raises:
        CheckpointError: The file is missing, holds code, or has no weights of a ResNet.
    """
    keys = list(state_dict_of(read_checkpoint(path)))
    if any(key.startswith(PREFIX) for key in keys):
        return PREFIX
    if any(key.startswith('layer1.') for key in keys):
        return None
    raise CheckpointError(
        f'{shown(Path(path))} has no weights of a ResNet (keys such as layer1.0.conv1.weight, or with backbone. '
        'in front): give such a file, or --weights imagenet, or none'
    )
