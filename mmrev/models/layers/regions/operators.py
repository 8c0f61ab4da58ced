"""Operators of torch for what cannot be traced: loops over the regions of an image, and compiled kernels.

``torch.compile`` and ``torch.export`` see one operator, ``mmrev::<name>``, with outputs of sizes that are known before
the regions are. A program that loads an exported model with such an operator imports ``mmrev.models.layers`` first.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

NAMESPACE = 'mmrev'
# torch 2.4 brought operators in Python. Before it, torch.compile leaves its graph for these functions.
OPERATORS = hasattr(torch.library, 'custom_op')


def operator(
    name: str,
    function: Callable[..., Any],
    fake: Callable[..., Any],
    save: Callable[[Any, tuple[Any, ...], Any], None] | None = None,
    backward: Callable[..., Sequence[Tensor | None]] | None = None,
) -> Callable[..., Any]:
    """Makes an operator of a function.

    Args:
        name: The name of the operator.
        function: Takes tensors, numbers and texts, and returns tensors that share no memory with its arguments. Its
            annotations are the operator's schema.
        fake: The same function, for the shapes and types of the results alone.
        save: Takes a context, the arguments and the results, and saves what ``backward`` needs.
        backward: Takes the context and the gradients of the results. Returns the gradients of the arguments.

    Returns:
        The operator. Without operators in torch, the function with its gradient.

    Example:
        >>> def double(x: Tensor) -> Tensor:
        ...     return 2 * x
        >>> operator('doubled', double, torch.empty_like)(torch.ones(2))
        tensor([2., 2.])
    """
    if not OPERATORS:
        return _function(function, fake, save, backward)
    made = torch.library.custom_op(f'{NAMESPACE}::{name}', function, mutates_args=())
    made.register_fake(fake)
    if backward is not None:
        made.register_autograd(backward, setup_context=save)
    return made


def _function(
    function: Callable[..., Any],
    fake: Callable[..., Any],
    save: Callable[[Any, tuple[Any, ...], Any], None] | None,
    backward: Callable[..., Sequence[Tensor | None]] | None,
) -> Callable[..., Any]:
    run = function
    if save is not None and backward is not None:
        members = dict(
            forward=staticmethod(function),
            setup_context=staticmethod(save),
            backward=staticmethod(torch.autograd.function.once_differentiable(backward)),
        )
        made: Any = type('Function', (torch.autograd.Function,), members)
        run = made.apply

    def dispatch(*arguments: Any) -> Any:
        return fake(*arguments) if arguments[0].is_meta else run(*arguments)

    return torch.compiler.disable(dispatch)  # type: ignore[no-untyped-call, no-any-return]  # torch has no types here
