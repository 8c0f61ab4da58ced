"""The model inside wrappers of mmengine."""

from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn


def unwrap(model: nn.Module) -> nn.Module:
    """Returns the model inside wrappers for several processes and for test-time augmentation.

    Example:
        >>> model = nn.Linear(2, 3)
        >>> unwrap(model) is model
        True
    """
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module  # type: ignore[assignment]  # torch types attributes of modules loosely
    return model
