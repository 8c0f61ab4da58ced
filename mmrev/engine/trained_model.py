"""Building of trained models, for all that is done with them outside of mmengine's Runner."""

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import MODELS, init_default_scope
from torch import nn

from mmrev.errors import CheckpointError

from .checkpoints import load_matching, read_checkpoint, state_dict_of


def load_model(cfg: Config, checkpoint: str) -> nn.Module:
    """Builds the model of a config, of any host, loads a checkpoint, and prints how many of its weights matched.

    Raises:
        CheckpointError: The checkpoint is unreadable, or of another model.
    """
    model, line = build_model(cfg, read_checkpoint(checkpoint), checkpoint)
    print(line)
    return model


def build_model(cfg: Config, checkpoint: dict, name: str, device: str | None = None) -> tuple[nn.Module, str]:
    """Builds the model of a config, of any host, with weights that must have all of its keys.

    Args:
        cfg: The config.
        checkpoint: The content of the checkpoint.
        name: The name of the checkpoint in messages.
        device: The device; None takes a GPU if there is one.

    Returns:
        The model in evaluation mode, and a line that says how many weights matched.

    Raises:
        CheckpointError: The weights are of another model.
    """
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    if cfg.get('data_preprocessor'):
        cfg.model.setdefault('data_preprocessor', cfg.data_preprocessor)  # as mmengine's Runner does
    model = MODELS.build(cfg.model)
    match = load_matching(model, state_dict_of(checkpoint))
    if match.missing or match.reshaped:
        raise CheckpointError(f'{name} is of another model: {match}. Give the config that it was trained with')
    device = device or get_device()
    if not device.startswith('cuda'):
        model = revert_sync_batchnorm(model)  # its forward pass needs a GPU
    return model.to(device).eval(), f'weights: {name}: {match}'
