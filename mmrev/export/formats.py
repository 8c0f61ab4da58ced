"""The two formats of an exported model: how each is made, and how each is run."""

import io
import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from mmrev.errors import ConfigError, HostError

FORMATS = ('onnx', 'torch-export')
OPSET = 18
KEY = 'mmrev'  # of the description in either file
Run = Callable[[Tensor], list[np.ndarray]]


def require_packages(file_format: str) -> None:
    """Checks that a format can be written and tried here.

    Raises:
        HostError: A package is missing or too old.
    """
    if not hasattr(torch, 'export') or not hasattr(torch.export, 'Dim') or not hasattr(torch.export.Dim, 'DYNAMIC'):
        raise HostError(f'export needs torch 2.6 or later, and this is {torch.__version__}')
    missing = [name for name in ('onnx', 'onnxruntime', 'onnxscript') if find_spec(name) is None]
    if file_format == 'onnx' and missing:
        raise HostError(f"--format onnx needs {', '.join(missing)}: pip install 'mmrev[onnx]'")


def trace(network: nn.Module, images: Tensor, free: bool = True) -> torch.export.ExportedProgram:
    """Exports a network with torch.export.

    Args:
        network: The network in evaluation mode.
        images: An example.
        free: Whether batch, height and width of the images are free.

    Raises:
        ConfigError: The network cannot be exported so.
    """
    sizes = {0: torch.export.Dim.DYNAMIC, 2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
    try:
        with torch.no_grad(), without_guards(), warnings.catch_warnings():
            warnings.simplefilter('ignore')
            return torch.export.export(
                network, (images,), dynamic_shapes=(sizes if free else {0: sizes[0]},), strict=False
            )
    except Exception as error:  # torch.export raises many types
        advice = 'give its size with --size HEIGHT WIDTH' if free else 'it cannot be exported'
        reason = ' '.join(str(error).split())[:160] or type(error).__name__
        raise ConfigError(
            f'torch.export finds no program for {"all sizes" if free else "this network"}: {advice} ({reason})'
        ) from error


@contextmanager
def without_guards() -> Iterator[None]:
    """Keeps steps that look at a size, but not for the result, from binding an exported program to such sizes."""
    with ExitStack() as patches:
        if find_spec('mmseg'):
            wrappers = vars(import_module('mmseg.models.utils.wrappers'))
            patches.enter_context(patch.dict(wrappers, int=_unseen))
        # the shape of a max pooling takes a remainder of sizes, which matters for negative sizes alone
        shapes = import_module('torch._meta_registrations')
        if hasattr(shapes, 'div_rtn'):
            patches.enter_context(patch.object(shapes, 'div_rtn', lambda length, stride: length // stride))
        yield


def _unseen(length: Any) -> Any:
    """The ``int`` of mmseg's resizing: it compares sizes for a warning, and multiplies them by a factor."""
    return torch.sym_int(length) if isinstance(length, float | torch.SymFloat) else 0


def write_archive(program: torch.export.ExportedProgram, description: dict) -> bytes:
    """Makes the file of a torch.export program, with its description in the extra file ``mmrev.json``."""
    file = io.BytesIO()
    torch.export.save(program, file, extra_files={f'{KEY}.json': json.dumps(description)})
    return file.getvalue()


def run_archive(content: bytes) -> Run:
    """Returns a function that runs a torch.export program."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # torch reads its weights from a buffer that cannot be written
        module = torch.export.load(io.BytesIO(content)).module()

    def run(images: Tensor) -> list[np.ndarray]:
        with torch.no_grad():
            return _arrays(module(images))

    return run


def write_onnx(program: torch.export.ExportedProgram, description: dict, outputs: Sequence[str]) -> bytes:
    """Makes an ONNX file, with its description in its metadata."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        made = torch.onnx.export(
            program,
            (),
            dynamo=True,
            opset_version=OPSET,
            input_names=['images'],
            output_names=list(outputs),
            verbose=False,
            optimize=True,
        )
    assert made is not None
    made.model.metadata_props[KEY] = json.dumps(description)
    model = made.model_proto
    for value in model.graph.input:
        for dim, name in zip(value.type.tensor_type.shape.dim, ('batch', None, 'height', 'width'), strict=True):
            if name and dim.dim_param:
                dim.dim_param = name
    content: bytes = model.SerializeToString()
    return content


def run_onnx(content: bytes) -> Run:
    """Returns a function that runs an ONNX file with onnxruntime on the CPU."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=['CPUExecutionProvider'])
    return lambda images: session.run(None, {'images': images.numpy()})


def _arrays(results: Tensor | Sequence[Tensor]) -> list[np.ndarray]:
    return [part.numpy() for part in ([results] if isinstance(results, Tensor) else results)]
