"""Errors for people: one line that says what is wrong, what was expected and what to do.

=================  ====================================================================
ConfigError        An argument of a class or function, or a value in a config, is wrong.
DataError          A data set, an image or a mask is wrong.
CheckpointError    A checkpoint is unreadable, unsafe, or belongs to another model.
HostError          An OpenMMLab package is missing or broken.
TrainingError      A training cannot go on.
UserError          Base of all five. The command line prints its message, without a traceback.
=================  ====================================================================

Each value is checked once, where it first arrives. Any other exception is a bug in mmrev.
"""

from collections.abc import Iterable


class UserError(Exception):
    """Base of the errors that a user can mend."""


class HostError(UserError, ImportError):
    """An OpenMMLab package is missing, or two copies of it lie over each other."""


class DataError(UserError, ValueError):
    """A data set, an image or a mask is not what the config says."""


class CheckpointError(UserError, ValueError):
    """A checkpoint is unreadable, unsafe, or belongs to another model."""


class TrainingError(UserError, ArithmeticError):
    """A training cannot go on, because its loss is no number."""


class ConfigError(UserError, ValueError):
    """A config, or an argument in it, asks for something that does not exist."""


def require_choice(what: str, value: object, known: Iterable[object], last: str = '') -> None:
    """Checks that a value is one of the known ones.

    Args:
        what: Its name in the message, such as ``'mode'`` or ``'mode of ReverseAttentionHead'``.
        value: The value.
        known: The values that are allowed.
        last: The end of the message, such as ``', or None'``.

    Raises:
        ConfigError: The value is not among them.

    Example:
        >>> require_choice('fusion', 'max', ('max', 'avg'))
        >>> require_choice('fusion', 'sum', ('max', 'avg'))
        Traceback (most recent call last):
        mmrev.errors.ConfigError: unknown fusion 'sum': use one of 'max', 'avg'
    """
    choices = tuple(known)
    if value not in choices:
        name, _, owner = what.partition(' of ')
        owner = f' of {owner}' if owner else ''
        raise ConfigError(f'unknown {name} {value!r}{owner}: use one of {", ".join(map(repr, choices))}{last}')
