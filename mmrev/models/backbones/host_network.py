"""Backbones that add something to the network of the same name in the host at hand.

A host is an OpenMMLab package that mmrev plugs into (:mod:`mmrev.hosts`). The host of the default scope gives the
network. Without such a scope, or if that host has no usable network, the first usable host of ``HOSTS`` gives it.
"""

import difflib
import inspect
from collections.abc import Collection, Iterator
from importlib import import_module
from typing import Any

from mmengine.registry import DefaultScope
from torch import nn
from typing_extensions import Self

from mmrev.errors import HostError, require_choice
from mmrev.hosts import HOSTS, host_problem

from ..surgery.class_mixing import Mixin, mix_in


class HostNetwork(Mixin):
    """Base of a drop-in for a host's network. It has that network's arguments, defaults, layers and keys.

    The host is known only when a network is built. So the constructor first exchanges the class of ``self`` for one
    that has the host's class as a base, and then calls the host's constructor. :mod:`..surgery.class_mixing` says why
    and how. Subclasses need no care: ``class Mine(RAResNet)`` works as usual.

    Args:
        args: Those of the host's network.
        kwargs: Those of the host's network.

    Attributes:
        network: The name of the network in its host. A subclass sets it.

    Raises:
        HostError: No host has a usable network.
        ConfigError: The host's network has no argument of that name.

    Example:
        >>> class Plain(HostNetwork):
        ...     network = 'ResNet'
        >>> network = Plain(depth=18)
        >>> isinstance(network, Plain), type(network).__bases__[1].__module__
        (True, 'mmseg.models.backbones.resnet')
    """

    network: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not hasattr(type(self), 'made_of'):
            host, network = next(host_networks(self.network))
            _require_arguments(type(self), host, network, kwargs)
            mix_in(self, type(self), network)
        super().__init__(*args, **kwargs)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        return self  # torch's train() returns the module, but that of some hosts returns None


def host_networks(name: str) -> Iterator[tuple[str, type[nn.Module]]]:
    """Yields each host that has a usable network of a name, with the network's class; the default scope's host first.

    Raises:
        HostError: No host has one.

    Example:
        >>> host, network = next(host_networks('MobileNetV2'))
        >>> host, network.__name__
        ('mmseg', 'MobileNetV2')
    """
    scope = getattr(DefaultScope.get_current_instance(), 'scope_name', None)
    problems = []
    for host in sorted(HOSTS, key=lambda host: host != scope):  # the sort is stable: the others keep their order
        problem = host_problem(host, HOSTS[host].operators)
        network = None if problem else getattr(import_module(f'{host}.models'), name, None)
        if network is None:
            problems.append(problem or f'{host} has no {name}')
        else:
            yield host, network
    if len(problems) == len(HOSTS):
        raise HostError(f'a {name} needs an OpenMMLab package: {problems[0]}')


def _require_arguments(cls: type[HostNetwork], host: str, network: type[nn.Module], given: Collection[str]) -> None:
    """Raises one line about the first argument that the host's network does not take."""
    parameters = inspect.signature(network).parameters
    unknown = [argument for argument in given if argument not in parameters]
    if not unknown or any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    argument = unknown[0]
    own = [base for base in cls.__mro__ if issubclass(base, HostNetwork)]
    known = _argument_names(network, *own)
    hint = ''.join(f'; did you mean {close!r}?' for close in difflib.get_close_matches(argument, known, 1))
    for other, theirs in host_networks(cls.network):
        if argument in _argument_names(theirs):
            hint += f"; {other}'s {cls.network} takes it: set default_scope = {other!r}"
    require_choice(f"argument of {cls.__name__} (on {host}'s {cls.network})", argument, known, hint)


def _argument_names(*classes: type) -> list[str]:
    """Lists the named arguments of the constructors, each once."""
    names: dict[str, None] = {}  # a dict keeps the order
    for cls in classes:
        for name, parameter in inspect.signature(cls).parameters.items():
            if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                names[name] = None
    return list(names)
