"""Arguments that are checked against their annotations, so that a wrong value in a config is one line.

Annotations are the only place that says what an argument may be: its type, the values of a ``Literal``, and the bounds
of an ``Annotated`` number.
"""

import functools
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from numbers import Integral, Real
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import ConfigError

Class = TypeVar('Class', bound=type)


@dataclass(frozen=True)
class Bounds:
    """The bounds of a number. They are allowed values, unless ``above`` gives the lower one.

    Args:
        low: The least value.
        high: The greatest value.
        above: A bound that the value must exceed.
    """

    low: float | None = None
    high: float | None = None
    above: float | None = None

    def hold(self, value: Any) -> bool:
        """Returns whether the value is inside. NaN never is."""
        return (
            (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (self.above is None or value > self.above)
        )

    def __str__(self) -> str:
        at_most = 'of at most' if self.low is None else 'and at most'
        parts = [('of at least', self.low), ('above', self.above), (at_most, self.high)]
        return ' '.join(f'{words} {bound:g}' for words, bound in parts if bound is not None)


@dataclass(frozen=True)
class NotEmpty:
    """A list needs at least one entry."""

    def hold(self, value: Any) -> bool:
        return len(value) > 0

    def __str__(self) -> str:
        return 'that is not empty'


@dataclass(frozen=True)
class HasType:
    """A dict from which a registry builds an object needs its type."""

    def hold(self, value: Any) -> bool:
        return 'type' in value

    def __str__(self) -> str:
        return "with a 'type'"


Count = Annotated[int, Bounds(low=1)]  # of channels, images, ...; also a dilation
Index = Annotated[int, Bounds(low=0)]
Share = Annotated[float, Bounds(low=0, high=1)]
Positive = Annotated[float, Bounds(above=0)]
NotNegative = Annotated[float, Bounds(low=0)]
ObjectConfig = Annotated[dict, HasType()]
Counts = Annotated[Sequence[Count], NotEmpty()]


def checked(cls: Class) -> Class:
    """Class decorator: the constructor checks each annotated argument.

    Raises:
        ConfigError: An argument is not what its annotation says. The message names the class and the argument. A
            missing or unknown argument stays Python's TypeError, which names it too.

    Example:
        >>> @checked
        ... class Pool:
        ...     def __init__(self, size: Count, mode: Literal['max', 'avg'] = 'max') -> None:
        ...         self.size = size
        >>> Pool(2).size
        2
        >>> Pool(0)
        Traceback (most recent call last):
        mmrev.errors.ConfigError: Pool(size=0): expected an integer of at least 1
        >>> Pool(2, mode='sum')
        Traceback (most recent call last):
        mmrev.errors.ConfigError: Pool(mode='sum'): expected 'max' or 'avg'
    """
    construct = cls.__init__  # type: ignore[misc]  # of a class that is not known here
    if hasattr(construct, 'checks_arguments'):  # that of a base
        return cls

    @functools.wraps(construct)
    def checked_construct(self: Any, *args: Any, **kwargs: Any) -> None:
        check(type(self).__name__, construct, (self, *args), kwargs)
        construct(self, *args, **kwargs)

    checked_construct.checks_arguments = True  # type: ignore[attr-defined]
    cls.__init__ = checked_construct  # type: ignore[misc]
    return cls


def check(name: str, function: Callable, args: Sequence, kwargs: Mapping[str, Any]) -> None:
    """Checks the arguments of a call.

    Args:
        name: The name in the message.
        function: The function, which has annotations.
        args: The positional arguments.
        kwargs: The keyword arguments.

    Raises:
        ConfigError: An argument is not what its annotation says.
    """
    signature, hints = _signature(function)
    try:
        given = signature.bind_partial(*args, **kwargs).arguments
    except TypeError:
        return  # the call itself says it best
    for argument, value in given.items():
        kind = signature.parameters[argument].kind
        named = kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        is_default = value is signature.parameters[argument].default
        if named and argument in hints and not is_default and not _fits(value, hints[argument]):
            raise ConfigError(f'{name}({argument}={_short(value)}): expected {describe(hints[argument])}')


@functools.cache
def _signature(function: Callable) -> tuple[inspect.Signature, dict[str, Any]]:
    return inspect.signature(function), get_type_hints(function, include_extras=True)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type. Types that are not known here fit all values."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, arg) for arg in args)
    if origin is Annotated:
        return _fits(value, args[0]) and all(extra.hold(value) for extra in args[1:])
    if origin is Literal:
        return any(type(value) is type(arg) and value == arg for arg in args)
    if origin in (Sequence, list):
        is_sequence = isinstance(value, Sequence) and not isinstance(value, str | bytes)
        return is_sequence and all(_fits(item, args[0]) for item in value)
    return _fits_class(value, origin or hint)


def _fits_class(value: Any, kind: Any) -> bool:
    if kind in (int, float):
        number = Integral if kind is int else Real
        return isinstance(value, number) and not isinstance(value, bool) and isfinite(value)
    if kind is dict:
        return isinstance(value, Mapping)
    if kind is Callable:
        return callable(value)
    if kind in (bool, str, list, types.NoneType):
        return isinstance(value, kind)
    return True


NAMES: dict[Any, str] = {
    int: 'an integer',
    float: 'a number',
    bool: 'True or False',
    str: 'a text',
    dict: 'a dict',
    list: 'a list',
    Callable: 'a function or a class',
    types.NoneType: 'None',
}


def describe(hint: Any) -> str:
    """Describes a type in words.

    Example:
        >>> describe(Sequence[Count] | None)
        'a list of integers of at least 1, or None'
        >>> describe(Share)
        'a number of at least 0 and at most 1'
    """
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        parts = [describe(arg) for arg in args]
        return ', or '.join([', '.join(parts[:-1]), parts[-1]])
    if origin is Annotated:
        return ' '.join([describe(args[0]), *(str(extra) for extra in args[1:])])
    if origin is Literal:
        choices = [repr(arg) for arg in args]
        return ' or '.join([', '.join(choices[:-1]), choices[-1]]).removeprefix(' or ')
    if origin in (Sequence, list):
        first, _, rest = describe(args[0]).removeprefix('an ').removeprefix('a ').partition(' ')
        return f'a list of {first}s {rest}'.rstrip()
    return NAMES.get(origin or hint, 'another type')


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'
