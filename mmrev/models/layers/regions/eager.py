"""A typed decorator that keeps a function out of the graphs of ``torch.compile``."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch

F = TypeVar('F', bound=Callable[..., Any])


def eager(function: F) -> F:
    """Runs a function without compiling it: its loops depend on the regions. Torch's decorator has no types.

    Example:
        >>> eager(len)([1, 2])
        2
    """
    return cast(F, torch.compiler.disable(function))  # type: ignore[no-untyped-call]  # torch leaves it without types
