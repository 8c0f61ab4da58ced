import io
import pathlib
import pickle
import subprocess
from collections import Counter, OrderedDict, defaultdict, deque

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from torch import nn

from mmrev.engine import restricted_pickle
from mmrev.engine.restricted_pickle import ForbiddenError


def read(value, protocol: int = 2, legacy: bool = False):
    file = io.BytesIO()
    torch.save(value, file, pickle_protocol=protocol, _use_new_zipfile_serialization=not legacy)
    file.seek(0)
    return torch.load(file, pickle_module=restricted_pickle, weights_only=False)


@pytest.mark.parametrize(('protocol', 'legacy'), [(2, False), (2, True), (4, False)])
@pytest.mark.parametrize(
    'value',
    [
        *(np.dtype(code).type(1) for code in '?bhilBHILefdgFDG'),
        np.str_('a'),
        np.bytes_(b'a'),
        np.datetime64('2020-01-01'),
        np.timedelta64(1, 's'),
        np.arange(6.0).reshape(2, 3).T,
        np.array(['a', 'bcd']),
        np.array([None, [1]], dtype=object),
        np.dtype('float32'),
        np.float32,
        Counter('aab'),
        OrderedDict(a=1),
        defaultdict(list, a=[1]),
        deque([1], 3),
        pathlib.Path('x/y'),
        torch.float16,
        torch.device('cpu'),
        torch.Size([1, 2]),
        torch.arange(4.0).reshape(2, 2).T,
        torch.ones(2, dtype=torch.bfloat16),
        nn.Parameter(torch.ones(2)),
        {1, 2},
        frozenset('a'),
        1j,
        slice(1, 2),
        bytearray(b'a'),
        b'\xff',
    ],
    ids=lambda value: f'{type(value).__module__}.{type(value).__name__}',
)
def test_data_comes_back(value, protocol, legacy):
    found = read(value, protocol, legacy)
    assert type(found) is type(value)
    assert repr(found) == repr(value)


@pytest.mark.parametrize('protocol', [2, 4])
def test_log_buffers_come_back_and_leave_their_class_alone(protocol, monkeypatch):
    buffer = HistoryBuffer([1.0, 2.0], [1, 1])
    saved = HistoryBuffer.__getstate__
    monkeypatch.setattr(
        HistoryBuffer, '__getstate__', lambda self: {**saved(self), 'statistics_methods': {'mean': dict}}
    )
    assert read(buffer, protocol).statistics('mean') == 1.5


def test_the_versions_of_modules_come_back():
    state = nn.BatchNorm1d(2).state_dict()
    assert read(state)._metadata == state._metadata


@pytest.mark.parametrize('tensor', [torch.ones(1), nn.Parameter(torch.ones(1))], ids=['tensor', 'parameter'])
def test_tensors_lose_their_attributes(tensor):
    tensor.note = 'x'
    found = read(tensor)
    assert type(found) is type(tensor) and torch.equal(found, tensor) and not vars(found)


def test_a_config_becomes_a_plain_dict():
    found = read(ConfigDict(classes=('a', 'b'), palette=ConfigDict(a=[1, 2])))
    assert found == dict(classes=('a', 'b'), palette=dict(a=[1, 2]))
    assert type(found) is type(found['palette']) is dict


class Reduced:
    """Is pickled as the given parts of ``__reduce_ex__``."""

    def __init__(self, *parts) -> None:
        self.parts = parts

    def __reduce_ex__(self, protocol):
        return self.parts


# NumPy makes an array of the objects at this address
ADDRESS = {'__array_interface__': dict(shape=(1,), typestr='|O', data=(0x41414141, False), version=3)}
UNSAFE = {
    'an address in a dict': Reduced(OrderedDict, (), ADDRESS),
    'an address in a log buffer': Reduced(HistoryBuffer, (), ADDRESS),
    'slots': Reduced(OrderedDict, (), (None, ADDRESS)),
    'a call of a tensor': Reduced(torch.Tensor, (2,)),
    'a call of a parameter': Reduced(nn.Parameter, (torch.ones(1),)),
    'an array of addresses': Reduced(np.ndarray, ((1,), np.dtype('O'), b'\x41' * 8)),
    'an array of another type': Reduced(np.zeros(1).__reduce__()[0], (list, (0,), b'b')),
    'a type with fields': np.zeros(1, [('x', object)]),
    'raw bytes': np.void(b'12'),
    'objects declared as numbers': Reduced(np.dtype, ('O8', False, True), (3, '|', None, None, None, -1, -1, 0)),
    'fields in a plain type': Reduced(np.dtype, ('f8', False, True), (3, '<', None, ('x',), {}, 8, 1, 0)),
    'a longer string': Reduced(np.dtype, ('S1', False, True), (3, '|', None, None, None, 1 << 20, 1, 0)),
    'attributes of a class': Reduced(list, (), ({}, {'mean': dict})),
    'attributes of a tensor': Reduced(torch.Tensor, (), {'x': 1}),
    'other codecs': Reduced(pickle.loads(b'c_codecs\nencode\n.'), ('a', 'rot13')),
    'a call in the place of a tensor': Reduced(torch._tensor._rebuild_from_type_v2, (dict, torch.Tensor, (), {})),
}


@pytest.mark.parametrize('name', UNSAFE)
def test_allowed_names_with_unsafe_arguments(name):
    with pytest.raises(ForbiddenError):
        read(UNSAFE[name])


def test_constructors_with_keyword_arguments_are_refused():
    named = b'\x80\x04cbuiltins\ndict\n)}\x8c\x01aK\x01s\x92.'
    assert pickle.loads(named) == {}
    with pytest.raises(ForbiddenError, match='keyword'):
        restricted_pickle.load(io.BytesIO(named))


@pytest.mark.parametrize('value', [subprocess.Popen, torch.load, torch.hub.load, nn.Linear(1, 1), pickle.loads, open])
def test_other_names_are_refused_by_their_name(value):
    name = getattr(value, '__name__', 'Linear')
    with pytest.raises(ForbiddenError, match=rf'\.{name}$'):
        read(value)
