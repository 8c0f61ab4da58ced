"""Where a network is."""

import torch
from torch import nn


def device_of(network: nn.Module) -> torch.device:
    """The device of the weights.

    Example:
        >>> device_of(nn.Linear(1, 1))
        device(type='cpu')
    """
    return next(network.parameters()).device
