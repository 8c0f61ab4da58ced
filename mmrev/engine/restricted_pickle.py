"""Reads pickles as Python's ``pickle`` module does, but builds only tensors, NumPy values and plain containers.

A pickle is a program: it names functions and classes, calls them, and sets attributes. Here each name must be in the
table ``ALLOWED``, and each attribute in the table ``ATTRIBUTES``. ``torch.load`` reads each of its file formats this
way: ``torch.load(file, pickle_module=restricted_pickle, weights_only=False)``. This works the same in torch 2.1 and
later, and changes nothing outside of the call.

The table ``ALLOWED`` replaces some functions and classes, because the originals are unsafe with the wrong arguments:
``getattr`` reaches all of Python, and NumPy takes numbers of the file for addresses in memory.
"""

import collections
import pathlib
import pickle
import re
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from torch import Tensor


class ForbiddenError(pickle.UnpicklingError):
    """A pickle asks for more than data. The message names the function, class or state."""


# the unpickler that is written in Python: the one in C cannot be asked which object gets a state
_PythonUnpickler: Any = pickle._Unpickler


class Unpickler(_PythonUnpickler):
    """An unpickler that refuses names outside of ``ALLOWED`` and attributes outside of ``ATTRIBUTES``.

    Example:
        >>> import io, os
        >>> float(Unpickler(io.BytesIO(pickle.dumps(np.float32(0.5)))).load())
        0.5
        >>> Unpickler(io.BytesIO(pickle.dumps(os.getcwd))).load()
        Traceback (most recent call last):
        mmrev.engine.restricted_pickle.ForbiddenError: posix.getcwd
    """

    dispatch = dict(_PythonUnpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        # torch.save writes protocol 2 by default, which has Python 2's names of modules
        module = {'__builtin__': 'builtins', 'copy_reg': 'copyreg'}.get(module, module)
        if (module, name) not in ALLOWED:
            raise ForbiddenError(f'{module}.{name}')
        return ALLOWED[module, name]

    def load_build(self) -> None:
        target, state = self.stack[-2], self.stack[-1]
        if isinstance(target, np.dtype):
            _check_dtype_state(target, state)
        elif not isinstance(target, np.ndarray):
            _check_attributes(target, state)
        super().load_build()

    def load_newobj_ex(self) -> None:
        # some constructors of torch take an address as a keyword argument
        raise ForbiddenError('a constructor with keyword arguments')

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex


def load(file: BinaryIO, **options: Any) -> Any:
    """Reads one pickle, as ``pickle.load`` does.

    Raises:
        ForbiddenError: The pickle asks for more than data.

    Example:
        >>> import io
        >>> load(io.BytesIO(pickle.dumps([1, 'a'])))
        [1, 'a']
    """
    return Unpickler(file, **options).load()


def _name_of(target: object) -> str:
    kind = target if isinstance(target, type) else type(target)
    return f'{kind.__module__}.{kind.__qualname__}'


def _check_attributes(target: object, state: Any) -> None:
    # NumPy reads memory at the address in an attribute __array_interface__
    known = ATTRIBUTES.get(type(target), ())
    if not isinstance(state, dict) or not state.keys() <= set(known):
        raise ForbiddenError(f'other attributes than {known} for {_name_of(target)}')
    state.pop('statistics_methods', None)  # the class of a log buffer has these methods; a file could exchange them


def _method(owner: type, name: str) -> Callable:
    """Replaces ``getattr``: mmengine saves a few of its own methods."""
    if name in _METHODS.get(owner, ()):
        return getattr(owner, name)
    raise ForbiddenError(f'builtins.getattr({_name_of(owner)}, {name!r})')


def _latin1(text: str, encoding: str) -> bytes:
    """Replaces ``_codecs.encode``: protocol 2 writes bytes as text."""
    if encoding != 'latin1':
        raise ForbiddenError(f'_codecs.encode(..., {encoding!r})')
    return text.encode('latin1')


def _plain_dtype(code: str, *_: Any) -> np.dtype:
    """Replaces ``numpy.dtype``: types with fields or raw bytes are refused."""
    if not (isinstance(code, str) and re.fullmatch(r'[biufcmMSUO]\d+', code)):
        raise ForbiddenError(f'numpy.dtype({code!r})')
    return np.dtype(code, copy=True)  # the state that follows sets its byte order


def _check_dtype_state(dtype: np.dtype, state: Any) -> None:
    # version, byte order, then: subarray, names, fields, size, alignment, flags
    if not isinstance(state, tuple) or state[2:8] != dtype.__reduce__()[2][2:8]:
        raise ForbiddenError(f'another layout for numpy.dtype({dtype.str!r})')


class _TypeName(str):
    """Replaces a class that a file may name but not call."""

    def __call__(self, *_: Any) -> None:
        raise ForbiddenError(f'a call of {self}')


def _empty_array(kind: object, *_: Any) -> np.ndarray:
    """Replaces ``numpy.core.multiarray._reconstruct``. The state that follows fills the array."""
    if kind is not _ARRAY:
        raise ForbiddenError(f'an array of type {_name_of(kind)}')
    return np.empty(0, np.int8)


def _tensor_without_attributes(build: Callable, kind: object, arguments: tuple, *_: Any) -> Tensor:
    """Replaces ``torch._tensor._rebuild_from_type_v2``. Weights need no attributes."""
    if build not in _TENSOR_BUILDERS.values() or kind not in (_TENSOR, _PARAMETER):
        raise ForbiddenError(f'a tensor of type {_name_of(kind)}')
    return build(*arguments)


def _parameter_without_attributes(data: Tensor, requires_grad: bool, hooks: Any, *_: Any) -> Tensor:
    """Replaces ``torch._utils._rebuild_parameter_with_state``."""
    return torch._utils._rebuild_parameter(data, requires_grad, hooks)


def _named(module: str, names: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    return {(module, name): value for name, value in names.items()}


_METHODS: Mapping[type, tuple[str, ...]] = {
    HistoryBuffer: ('min', 'max', 'mean', 'current'),
    OneCycleParamScheduler: ('_annealing_cos', '_annealing_linear'),
}
_BUILTINS = (bool, bytearray, complex, dict, float, frozenset, int, list, set, slice, str, tuple)
_COLLECTIONS = ('Counter', 'OrderedDict', 'defaultdict', 'deque')
_PATHS = {name: getattr(pathlib, name) for name in ('PosixPath', 'PurePosixPath', 'PureWindowsPath', 'WindowsPath')}
_ARRAY = _TypeName('numpy.ndarray')
_TENSOR = _TypeName('torch.Tensor')
_PARAMETER = _TypeName('torch.nn.Parameter')
_TENSOR_BUILDERS = {
    name: function
    for name, function in vars(torch._utils).items()
    if re.fullmatch('_rebuild_(tensor(_v2|_v3)?|parameter)', name)  # torch 2.1 has no _v3
}
_TENSOR_BUILDERS['_rebuild_parameter_with_state'] = _parameter_without_attributes
_SCALARS = (np.number, np.bool_, np.str_, np.bytes_, np.datetime64, np.timedelta64)
_NUMPY_SCALARS = {kind.__name__: kind for kind in np.sctypeDict.values() if issubclass(kind, _SCALARS)}
_MULTIARRAY = {'_reconstruct': _empty_array, 'scalar': np.float32(0).__reduce__()[0]}

# the module and the name in a file -> the object
ALLOWED: Mapping[tuple[str, str], Any] = {
    **_named('builtins', {kind.__name__: kind for kind in _BUILTINS}),
    ('builtins', 'getattr'): _method,
    ('_codecs', 'encode'): _latin1,
    **_named('collections', {name: getattr(collections, name) for name in _COLLECTIONS}),
    **_named('pathlib', _PATHS),
    **_named('pathlib._local', _PATHS),  # Python 3.13
    ('mmengine.config.config', 'ConfigDict'): dict,  # in a metainfo; the items of a ConfigDict are attributes too
    **{(owner.__module__, owner.__name__): owner for owner in _METHODS},
    **{
        (owner.__module__, f'{owner.__name__}.{name}'): getattr(owner, name)
        for owner in _METHODS
        for name in _METHODS[owner]
    },
    **_named('numpy', _NUMPY_SCALARS),
    ('numpy', 'dtype'): _plain_dtype,
    ('numpy', 'ndarray'): _ARRAY,
    **_named('numpy.core.multiarray', _MULTIARRAY),
    **_named('numpy._core.multiarray', _MULTIARRAY),  # NumPy 2
    **_named('torch', {name: kind for name, kind in vars(torch).items() if isinstance(kind, torch.dtype)}),
    **_named('torch', {name: kind for name, kind in vars(torch).items() if name.endswith('Storage')}),
    **_named('torch', {'Size': torch.Size, 'Tensor': _TENSOR, 'device': torch.device}),
    ('torch.nn.parameter', 'Parameter'): _PARAMETER,
    ('torch.storage', 'UntypedStorage'): torch.UntypedStorage,
    ('torch._tensor', '_rebuild_from_type_v2'): _tensor_without_attributes,
    **_named('torch._utils', _TENSOR_BUILDERS),
}
# the type of an object -> the attributes that it may get after it is built
ATTRIBUTES: Mapping[type, tuple[str, ...]] = {
    collections.OrderedDict: ('_metadata',),  # the versions of modules in a state dict
    HistoryBuffer: ('max_length', '_log_history', '_count_history', 'statistics_methods'),
}
