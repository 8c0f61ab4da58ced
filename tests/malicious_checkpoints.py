"""Checkpoints that run code when ``torch.load`` reads them with plain pickle: the code makes ``MARK`` in a folder."""

import functools
import importlib
import io
import marshal
import operator
import os
import pickle
import runpy
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

MARK = 'code_was_run'


class Call:
    """Is pickled as a call of a function, or of another Call's result."""

    def __init__(self, function, *args, state=None) -> None:
        self.call = (function, args, state) if state else (function, args)

    def __reduce__(self):
        return self.call

    def __call__(self) -> None:
        """pickle wants a callable."""


class TensorWithState(torch.Tensor):
    def __setstate__(self, state) -> None:
        os.mkdir(state['mark'])


class WritesOnLoading(torch.nn.Module):
    """A TorchScript program that saves a file when it is loaded."""

    def __init__(self, mark: str) -> None:
        super().__init__()
        self.mark = mark

    def forward(self):
        return self.mark

    @torch.jit.export
    def __getstate__(self):
        return self.mark, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[str, bool]):
        self.mark, self.training = state
        torch.save(torch.zeros(1), self.mark)


def code(folder: Path) -> str:
    return f'__import__("os").mkdir({mark(folder)!r})'


def mark(folder: Path) -> str:
    return str(folder / MARK)


# Objects that run code when they are loaded


def plain(folder: Path) -> Call:
    """The example in every warning about pickle."""
    return Call(os.mkdir, mark(folder))


def through_getattr(folder: Path) -> Call:
    """Passes torch's weights_only where getattr is allowed: an allowed object gets exec as its __setstate__."""
    exec_ = Call(getattr, Call(getattr, getattr, '__self__'), 'exec')
    holder = Call(HistoryBuffer, state={'inner': Call(HistoryBuffer, state={'__setstate__': exec_})})
    return Call(getattr, holder, 'inner', state=code(folder))


def through_system(folder: Path) -> Call:
    return Call(os.system, f'mkdir {mark(folder)}')


def through_eval(folder: Path) -> Call:
    return Call(eval, code(folder))


def through_exec(folder: Path) -> Call:
    return Call(exec, code(folder))


def through_partial(folder: Path) -> Call:
    return Call(Call(functools.partial, os.mkdir, mark(folder)))


def through_attrgetter(folder: Path) -> Call:
    return Call(Call(Call(operator.attrgetter, 'mkdir'), Call(importlib.import_module, 'os')), mark(folder))


def through_methodcaller(folder: Path) -> Call:
    return Call(Call(operator.methodcaller, 'mkdir'), folder / MARK)


def through_a_script(folder: Path) -> Call:
    script = folder / 'script.py'
    script.write_text(code(folder))
    return Call(runpy.run_path, str(script))


def through_torch_hub(folder: Path) -> Call:
    (folder / 'hubconf.py').write_text(f'def entry():\n    {code(folder)}')
    return Call(torch.hub._load_local, str(folder), 'entry')


def through_torch_load(folder: Path) -> Call:
    """A storage in a plain pickle is loaded by this function, which calls torch.load."""
    inner = io.BytesIO()
    torch.save(plain(folder), inner)
    return Call(torch.storage._load_from_bytes, inner.getvalue())


def in_an_array_of_objects(folder: Path) -> np.ndarray:
    return np.array([plain(folder), None], dtype=object)


def in_a_log_buffer(folder: Path) -> HistoryBuffer:
    buffer = HistoryBuffer([1.0], [1])
    buffer.extra = plain(folder)
    return buffer


def in_the_methods_of_a_log_buffer(folder: Path) -> Call:
    return Call(HistoryBuffer, state={'statistics_methods': {'mean': plain(folder)}})


def in_a_tensor_with_state(folder: Path) -> Call:
    arguments = (torch.zeros(1).untyped_storage(), 0, (1,), (1,), False, {})
    return Call(
        torch._tensor._rebuild_from_type_v2,
        torch._utils._rebuild_tensor_v2,
        TensorWithState,
        (torch.storage.TypedStorage(wrap_storage=arguments[0], dtype=torch.float, _internal=True), *arguments[1:]),
        {'mark': mark(folder)},
    )


def in_the_attributes_of_a_tensor(folder: Path) -> torch.Tensor:
    tensor = torch.zeros(1)
    tensor.extra = plain(folder)
    return tensor


# Places in a checkpoint


def in_the_optimizer(folder: Path) -> dict:
    return {'optimizer': {'state': {0: {'momentum_buffer': plain(folder)}}, 'param_groups': []}}


def in_the_average(folder: Path) -> dict:
    return {'ema_state_dict': {'steps': torch.tensor(1), 'module.weight': plain(folder)}}


def in_the_message_hub(folder: Path) -> dict:
    return {'message_hub': {'log_scalars': {}, 'runtime_info': {'best_score': plain(folder)}, 'resumed_keys': {}}}


def in_the_weights(folder: Path) -> dict:
    return {'state_dict': {'weight': plain(folder)}}


# Other files


def legacy_file(path: Path) -> None:
    """The format of torch before 1.6."""
    torch.save({'meta': plain(path.parent)}, path, _use_new_zipfile_serialization=False)


def tar_file(path: Path, member: str = 'pickle') -> None:
    """The format of torch before 0.1.10."""
    contents = {'storages': pickle.dumps(0) + pickle.dumps([]), 'tensors': pickle.dumps(0), 'pickle': pickle.dumps({})}
    contents[member] = pickle.dumps(plain(path.parent)) + contents[member]
    with tarfile.open(path, 'w:', format=tarfile.PAX_FORMAT) as tar:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def tar_file_with_code_in_its_storages(path: Path) -> None:
    tar_file(path, member='storages')


def torchscript_file(path: Path) -> None:
    torch.jit.script(WritesOnLoading(mark(path.parent))).save(str(path))


def swap_pickle(path: Path, content: bytes) -> None:
    """A file of torch.save with another pickle inside."""
    saved = io.BytesIO()
    torch.save({'weight': torch.zeros(1)}, saved)
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(path, 'w') as target:
        for name in source.namelist():
            target.writestr(name, content if name.endswith('data.pkl') else source.read(name))


def swapped_pickle(path: Path) -> None:
    swap_pickle(path, pickle.dumps({'meta': plain(path.parent)}))


def text_pickle(path: Path) -> None:
    """Protocol 0, with its opcode that names and calls at once."""
    swap_pickle(path, f"(S'{mark(path.parent)}'\niposix\nmkdir\n.".encode())


def computed_name(path: Path) -> None:
    """The name of the function is not in the file: allowed calls put it together."""
    module, name = (
        b'c' + b'builtins\nstr\n' + b'c' + b'builtins\nbytearray\n]' + b''.join(b'K' + bytes([c]) + b'a' for c in word)
        + b'\x85R' + b'X\x05\x00\x00\x00ascii' + b'\x86R'
        for word in (b'posix', b'mkdir')
    )  # fmt: skip
    target = mark(path.parent).encode()
    swap_pickle(path, b'\x80\x04' + module + name + b'\x93X' + len(target).to_bytes(4, 'little') + target + b'\x85R.')


def function_from_code(path: Path) -> None:
    """A function that is built from its byte code."""
    body = marshal.dumps(compile(code(path.parent), 'x', 'exec'))
    swap_pickle(
        path,
        b'\x80\x03ctypes\nFunctionType\ncmarshal\nloads\nB'
        + len(body).to_bytes(4, 'little') + body + b'\x85R'
        + b'}X\x0c\x00\x00\x00__builtins__cbuiltins\n__dict__\ns\x86R)R.',
    )  # fmt: skip


OBJECTS = (
    plain,
    through_getattr,
    through_system,
    through_eval,
    through_exec,
    through_partial,
    through_attrgetter,
    through_methodcaller,
    through_a_script,
    through_torch_hub,
    through_torch_load,
    in_an_array_of_objects,
    in_a_log_buffer,
    in_the_methods_of_a_log_buffer,
    in_a_tensor_with_state,
    in_the_attributes_of_a_tensor,
)
PLACES = (in_the_optimizer, in_the_average, in_the_message_hub, in_the_weights)
FILES = (
    legacy_file,
    tar_file,
    tar_file_with_code_in_its_storages,
    torchscript_file,
    swapped_pickle,
    text_pickle,
    computed_name,
    function_from_code,
)
KINDS: tuple[Callable, ...] = (*OBJECTS, *PLACES, *FILES)


def write(kind: Callable, folder: Path, **rest) -> Path:
    """Writes a checkpoint of that kind into the folder; ``rest`` is the other content."""
    path = folder / 'malicious.pth'
    if kind in FILES:
        kind(path)
    elif kind in PLACES:
        torch.save({'state_dict': {}, **rest, **kind(folder)}, path)
    else:
        torch.save({'state_dict': {}, **rest, 'meta': kind(folder)}, path)
    return path
