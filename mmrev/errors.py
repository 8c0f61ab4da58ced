"""Errors for people: one line that says what is wrong, what was expected and what to do."""


class UserError(Exception):
    """Base of the errors that the command line prints as one line, without a traceback."""


class HostError(UserError, ImportError):
    """An OpenMMLab package is missing, or two copies of it lie over each other."""


class DataError(UserError, ValueError):
    """A data set, an image or a mask is not what the config says."""


class CheckpointError(UserError, ValueError):
    """A checkpoint is unreadable, unsafe, or belongs to another model."""


class ConfigError(UserError, ValueError):
    """A config, or an argument in it, asks for something that does not exist."""
