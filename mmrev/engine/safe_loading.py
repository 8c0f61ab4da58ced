"""Loading of checkpoint files without running code from them: our own loading, and mmengine's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlparse

import mmengine.fileio
import mmengine.runner.checkpoint as mmengine_loading
import torch
from mmengine.dist import barrier, is_main_process

from mmrev.errors import CheckpointError

from . import restricted_pickle
from .safetensors_files import SUFFIX, from_safetensors, is_safetensors

# the schemes of mmengine's CheckpointLoader; '' stands for local files
SCHEMES = (
    '',
    'http://',
    'https://',
    'modelzoo://',
    'torchvision://',
    'open-mmlab://',
    'openmmlab://',
    'mmcls://',
    'pavi://',
    r'(\S+\:)?s3://',
    r'(\S+\:)?petrel://',
)


def forbid_code() -> None:
    """Makes mmengine's loading of checkpoints in this process refuse code. ``torch.load`` stays as it is.

    With torch before 2.6, mmengine runs the code in a file. With later versions, onedl-mmengine runs it too: it loads a
    file the unsafe way if the safe way fails.
    """
    mmengine_loading.CheckpointLoader.register_scheme(list(SCHEMES), load_from_anywhere, force=True)


def accept_safetensors() -> None:
    """Lets mmengine's loading of checkpoints take a file of safetensors too. All other files are loaded as before.

    ``import mmrev.engine`` does it, and so does each config with a hook of mmrev.
    """
    mmengine_loading.CheckpointLoader.register_scheme(rf'.*\{SUFFIX}$', load_from_anywhere, force=True)


def load_from_anywhere(filename: str, map_location: Any = None) -> Any:
    """Loads a file, a URL, or one of mmengine's names such as ``torchvision://resnet50``, safely.

    Args:
        filename: The file, URL or name.
        map_location: As in ``torch.load``.

    Returns:
        The content, as ``torch.load`` does.

    Raises:
        CheckpointError: The file holds code.
        FileNotFoundError: A local file is missing.
    """
    place = _resolve(filename)
    if place.startswith(('http://', 'https://')):
        place = _download(place)
    if '://' in place:
        content = load_safely(BytesIO(mmengine.fileio.get(place)), map_location, filename)
    else:
        with open(Path(place).expanduser(), 'rb') as file:
            content = load_safely(file, map_location, filename)
    return _backbone_only(content) if filename.startswith('mmcls://') else content


def load_safely(file: BinaryIO, map_location: Any = None, name: str = 'the file') -> Any:
    """Loads a file of ``torch.save`` in any of torch's formats, or a file of safetensors.

    Args:
        file: The open file.
        map_location: As in ``torch.load``.
        name: The file's name in the error.

    Raises:
        CheckpointError: The file holds code.

    Example:
        >>> file = BytesIO()
        >>> torch.save({'weight': torch.ones(2)}, file)
        >>> load_safely(BytesIO(file.getvalue()))
        {'weight': tensor([1., 1.])}
    """
    if is_safetensors(file):
        return _moved(from_safetensors(file, name), map_location)
    try:
        _refuse_torchscript(file)
        with _no_forced_loading():
            return torch.load(file, map_location, restricted_pickle, weights_only=False)
    except restricted_pickle.ForbiddenError as error:
        raise CheckpointError(
            f'{name} holds pickled code besides tensors, and was refused: it holds {error}, which could run anything. '
            'Ask its author for a file of tensors only (torch.save(model.state_dict(), ...))'
        ) from error


def _moved(checkpoint: dict, map_location: Any) -> dict:
    # torch.load also takes a function and a dict here, for tensors that remember their device; these are on the CPU
    if isinstance(map_location, (str, torch.device)):
        state = checkpoint['state_dict']
        for name in state:
            state[name] = state[name].to(map_location)
    return checkpoint


def _refuse_torchscript(file: BinaryIO) -> None:
    # torch.load gives such an archive to torch.jit.load, which runs the methods in it. This searches the bytes, because
    # two readers of one zip file can see different members
    mark, overlap = b'/constants.pkl', b''
    while block := file.read(1 << 24):
        if mark in overlap + block:
            raise restricted_pickle.ForbiddenError('a TorchScript program')
        overlap = block[-len(mark) :]
    file.seek(0)


@contextmanager
def _no_forced_loading() -> Iterator[None]:
    # torch refuses a pickle_module, however strict it is, while this variable is set
    forced = os.environ.pop('TORCH_FORCE_WEIGHTS_ONLY_LOAD', None)
    try:
        yield
    finally:
        if forced is not None:
            os.environ['TORCH_FORCE_WEIGHTS_ONLY_LOAD'] = forced


def _resolve(name: str) -> str:
    """Looks up a name in mmengine's lists of models; returns a URL or a path."""
    scheme, found, model = name.partition('://')
    if not found:
        return name
    if scheme in ('modelzoo', 'torchvision'):
        return mmengine_loading.get_torchvision_models()[model]
    if scheme == 'mmcls':
        return mmengine_loading.get_mmcls_models()[model]
    if scheme in ('open-mmlab', 'openmmlab'):
        model = mmengine_loading.get_deprecated_model_names().get(model, model)
        place = mmengine_loading.get_external_models()[model]
        return place if '://' in place else str(_mmengine_home() / place)
    return name


def _mmengine_home() -> Path:
    cache = os.environ.get('XDG_CACHE_HOME', '~/.cache')
    return Path(os.environ.get('MMENGINE_HOME', Path(cache, 'mmengine'))).expanduser()


def _download(url: str) -> str:
    """Downloads a file into torch's cache, in the main process first; returns its path."""
    path = Path(torch.hub.get_dir(), 'checkpoints', Path(urlparse(url).path).name)
    if not is_main_process():
        barrier()
    if not path.exists():  # another node may have a disk of its own
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), progress=os.isatty(0))
    if is_main_process():
        barrier()
    return str(path)


def _backbone_only(checkpoint: dict) -> dict:
    """Does to a file of ``mmcls://`` what mmengine does."""
    state = checkpoint.get('state_dict', checkpoint)
    prefix = 'backbone.'
    return {'state_dict': {key.removeprefix(prefix): state[key] for key in state if key.startswith(prefix)}}


accept_safetensors()
