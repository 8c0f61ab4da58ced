"""Loading of a trained model, for the commands that draw its features."""

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import MODELS, init_default_scope
from torch import nn

from mmrev.engine.checkpoints import load_matching, read_checkpoint, state_dict_of
from mmrev.errors import CheckpointError


def load_model(cfg: Config, checkpoint: str) -> nn.Module:
    """Builds the model of a config, of any host, and loads a checkpoint that must have all of its weights.

    Raises:
        CheckpointError: The checkpoint is of another model.
    """
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    if cfg.get('data_preprocessor'):
        cfg.model.setdefault('data_preprocessor', cfg.data_preprocessor)  # as mmengine's Runner does
    model = MODELS.build(cfg.model)
    match = load_matching(model, state_dict_of(read_checkpoint(checkpoint)))
    print(f'weights: {checkpoint}: {match}')
    if match.missing or match.reshaped:
        raise CheckpointError(f'{checkpoint} is of another model: {match}. Give the config that it was trained with')
    return model.to(get_device()).eval()
