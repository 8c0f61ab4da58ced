"""Backbones that are whatever network of their name the OpenMMLab package at hand has, with something added."""

import inspect
from functools import cache
from importlib import import_module

from mmengine.registry import DefaultScope
from torch import nn

from mmrev.errors import HostError
from mmrev.hosts import host_problem

HOSTS = ('mmseg', 'mmpretrain', 'mmdet')


class HostNetwork:
    """Base of a drop-in for a host's network: its arguments, defaults, layers and keys are that network's.

    Of the OpenMMLab packages that know all arguments given, the one of the default scope is taken, else the first of
    mmseg, mmpretrain and mmdet: an argument that the scope's own package lacks brings another one's defaults with it.
    As with `pathlib.Path`, what is built is an instance of a subclass.

    Raises:
        HostError: None of the packages can be used.
    """

    network: str
    made_of: tuple[type, ...]  # this class and the host's, of what was built

    def __new__(cls, *args, **kwargs):
        if not issubclass(cls, nn.Module):
            own = {
                name
                for base in cls.__mro__
                if '__init__' in vars(base)
                for name in inspect.signature(base.__init__).parameters
            }
            cls = _variant(cls, find_network(cls.network, frozenset(kwargs.keys() - own)))
        return super().__new__(cls)

    def train(self, mode: bool = True):
        super().train(mode)
        return self  # as nn.Module does, and not all hosts

    def __reduce__(self) -> tuple:
        return _blank, self.made_of, self.__dict__


@cache
def _variant(cls: type, network: type[nn.Module]) -> type:
    return type(
        cls.__name__, (cls, network), {'__module__': cls.__module__, '__doc__': cls.__doc__, 'made_of': (cls, network)}
    )


def _blank(cls: type, network: type[nn.Module]) -> nn.Module:
    return object.__new__(_variant(cls, network))


def find_network(name: str, options: frozenset[str] = frozenset()) -> type[nn.Module]:
    """The class of that name of the host at hand that takes these options, or at least of the host at hand.

    Raises:
        HostError: No host can be used.
    """
    scope = getattr(DefaultScope.get_current_instance(), 'scope_name', None)
    usable, problems = [], []
    for host in sorted(HOSTS, key=lambda host: host != scope):
        # mmdet alone imports its operators with any of its models
        problem = host_problem(host, ops=host == 'mmdet')
        if problem:
            problems.append(problem)
            continue
        network = getattr(import_module(f'{host}.models'), name)
        if options <= inspect.signature(network.__init__).parameters.keys():
            return network
        usable.append(network)
    if not usable:
        raise HostError(f'a {name} needs an OpenMMLab package: {problems[0]}')
    return usable[0]
