"""Checkpoints as safetensors: tensors, and a header of texts. Such a file holds no code.

The header of a file of ``mmrev publish`` has the parts of a checkpoint's ``meta``, each as JSON.
"""

import json
import struct
from collections import OrderedDict
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, BinaryIO

from torch import Tensor

from mmrev.errors import CheckpointError, HostError

SUFFIX = '.safetensors'
VERSIONS = 'module_versions'  # torch keeps them beside a state dict; some modules need them to read older weights
_LENGTH = struct.Struct('<Q')


def is_safetensors(file: BinaryIO) -> bool:
    """Tells whether an open file is in this format, by its first bytes. The file stays at its start.

    Example:
        >>> from io import BytesIO
        >>> is_safetensors(BytesIO(to_safetensors({}, {}))), is_safetensors(BytesIO(b'PK and more'))
        (True, False)
    """
    start = file.read(_LENGTH.size + 1)
    file.seek(0)
    return len(start) == _LENGTH.size + 1 and start.endswith(b'{')


def to_safetensors(state: Mapping[str, Tensor], meta: Mapping[str, Any]) -> bytes:
    """Returns the bytes of a file.

    Args:
        state: The weights.
        meta: Values of JSON, for the header.

    Raises:
        HostError: The package safetensors is missing.

    Example:
        >>> import torch
        >>> from io import BytesIO
        >>> content = to_safetensors({'weight': torch.ones(2)}, {'classes': ['cat', 'dog']})
        >>> found = from_safetensors(BytesIO(content))
        >>> dict(found['state_dict']), found['meta']
        ({'weight': tensor([1., 1.])}, {'classes': ['cat', 'dog']})
    """
    from_torch = _safetensors()
    # copies: the format refuses tensors that share their memory
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in state.items()}
    versions = {name: entry['version'] for name, entry in getattr(state, '_metadata', {}).items() if 'version' in entry}
    texts = {key: json.dumps(value, ensure_ascii=False) for key, value in meta.items()}
    if versions:
        texts[VERSIONS] = json.dumps(versions)
    return _sorted_header(from_torch.save(tensors, metadata={'format': 'pt', **texts}))


def from_safetensors(file: BinaryIO, name: str = 'the file') -> dict[str, Any]:
    """Reads a file as a checkpoint: its ``state_dict``, and as ``meta`` the parts of its header.

    Raises:
        CheckpointError: The file is truncated or broken.
        HostError: The package safetensors is missing.
    """
    from_torch = _safetensors()
    content = file.read()
    try:
        state = OrderedDict(sorted(from_torch.load(content).items()))
        length = _LENGTH.unpack(content[: _LENGTH.size])[0]
        texts = json.loads(content[_LENGTH.size : _LENGTH.size + length]).get('__metadata__') or {}
    except Exception as error:  # the package raises its own type, which it does not export everywhere
        reason = ' '.join(str(error).split())
        raise CheckpointError(
            f'{name} is truncated or not a file of safetensors ({reason}): fetch or copy it again'
        ) from error
    meta = {key: _parsed(text) for key, text in texts.items() if key != 'format'}
    versions = meta.pop(VERSIONS, None)
    if isinstance(versions, dict):
        state._metadata = OrderedDict(  # type: ignore[attr-defined]  # torch's own habit
            (module, dict(version=version)) for module, version in versions.items()
        )
    return dict(state_dict=state, meta=meta)


def _sorted_header(content: bytes) -> bytes:
    """Sorts the keys of the header, which the package writes in an order of chance: the same model has one hash."""
    end = _LENGTH.size + _LENGTH.unpack(content[: _LENGTH.size])[0]
    header = json.dumps(json.loads(content[_LENGTH.size : end]), sort_keys=True, separators=(',', ':')).encode()
    header += b' ' * (-len(header) % _LENGTH.size)  # the format aligns the tensors
    return _LENGTH.pack(len(header)) + header + content[end:]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # a file of another program
        return text


def _safetensors() -> Any:
    if find_spec('safetensors') is None:
        raise HostError("files of safetensors need a package: pip install 'mmrev[publish]' (or safetensors alone)")
    from safetensors import torch as from_torch

    return from_torch
