"""Changes the class of one object to a class made of a mixin of ours and the class that a host wrote.

Why exchange a class? A host's residual block adds its two branches inside ``forward``, so attention needs another
``forward``. Exchanging the class of the built block changes ``forward`` and nothing else. The parameters keep their
keys, so checkpoints load. Hooks and references stay valid, because the object stays the same. ``isinstance`` with the
host's class still holds, and hosts ask for it when they initialise and freeze weights. Each alternative breaks one of
these. A wrapper around the block renames every key and hides the block's type. A closure stored in ``block.forward``
cannot be pickled, and a replica of the block on another device would run the original's weights. A handwritten
subclass for each host and block repeats code, imports hosts that may be missing, and does not reach a network that is
built already. A whole network, such as RAResNet, uses the same exchange for one more reason: its host is known only
when it is built.
"""

from functools import cache
from typing import Any

from torch import nn


class Mixin(nn.Module):
    """Base of the mixins. Copying and pickling go by the two classes, since Python cannot import a mixed class.

    Attributes:
        made_of: The mixin and the host's class. Only a mixed class has it.
    """

    made_of: tuple[type, type]

    def __reduce__(self) -> tuple[Any, ...]:
        return _empty, (self.made_of,), self.__dict__


def mix_in(module: nn.Module, mixin: type[Mixin], host: type[nn.Module]) -> None:
    """Changes the class of a module to the mixed class. Methods of the mixin go before those of the host's class.

    Example:
        >>> from torch import nn
        >>> class Loud(Mixin):
        ...     def forward(self, x):
        ...         return 10 * super().forward(x)
        >>> layer = nn.Identity()
        >>> mix_in(layer, Loud, nn.Identity)
        >>> layer(2), isinstance(layer, nn.Identity), isinstance(layer, Loud)
        (20, True, True)
    """
    module.__class__ = _mixed_class((mixin, host))


@cache  # equal classes must be one class: type(copy) is type(original)
def _mixed_class(made_of: tuple[type, type]) -> type:
    mixin = made_of[0]
    attributes = {'__module__': mixin.__module__, '__doc__': mixin.__doc__, 'made_of': made_of}
    return type(mixin.__name__, made_of, attributes)


def _empty(made_of: tuple[type, type]) -> object:
    """Makes an instance without calling a constructor. Unpickling fills it."""
    return object.__new__(_mixed_class(made_of))
