"""Packages that a preparation needs and mmrev does not."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from mmrev.errors import HostError


def require(module: str) -> ModuleType:
    """Imports a package of the extra ``prepare``.

    Raises:
        HostError: It is not installed.

    Example:
        >>> require('no_such_package')
        Traceback (most recent call last):
        mmrev.errors.HostError: this data set needs no_such_package: pip install 'mmrev[prepare]', or pip install ...
    """
    package = module.partition('.')[0]
    if find_spec(package) is None:
        raise HostError(f"this data set needs {package}: pip install 'mmrev[prepare]', or pip install {package}")
    return import_module(module)
