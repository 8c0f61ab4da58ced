"""Mixed precision on a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmrev.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(OptimWrapper):
    """Takes the place of mmengine's AmpOptimWrapper where no GPU is, and computes in bfloat16.

    ``mmrev train`` uses it by itself. A CPU has no fast float16. The range of bfloat16 is that of float32, so the loss
    needs no scale.

    Args:
        loss_scale: It is not used.
        dtype: It is not used: the precision is bfloat16.
        kwargs: The arguments of OptimWrapper.

    Example:
        >>> model = nn.Linear(2, 1)
        >>> wrapper = CPUAmpOptimWrapper(optimizer=torch.optim.SGD(model.parameters(), lr=0.1))
        >>> with wrapper.optim_context(model):
        ...     model(torch.ones(1, 2)).dtype
        torch.bfloat16
    """

    def __init__(self, loss_scale: Any = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        with super().optim_context(model), torch.autocast('cpu', dtype=torch.bfloat16):
            yield

    def load_state_dict(self, state_dict: dict) -> None:
        state_dict.pop('loss_scaler', None)  # of a training that began on a GPU
        super().load_state_dict(state_dict)
