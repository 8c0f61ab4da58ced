"""The facts beside a figure: versions, git commit, device, and the hash of a checkpoint."""

import hashlib
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import mmrev
from mmrev.hosts import PACKAGES, installed, owners

THIRD_PARTY = ('torch', 'torchvision', 'numpy')


def versions() -> str:
    """Returns the versions of mmrev, Python and the packages that decide a figure, in one line.

    Example:
        >>> versions().split(', ')[0] == f'mmrev {mmrev.__version__}'
        True
    """
    packages = [name for name in THIRD_PARTY if installed(name)] + [name for each in PACKAGES for name in owners(each)]
    found = [f'{name} {metadata.version(name)}' for name in packages]
    return ', '.join([f'mmrev {mmrev.__version__}', f'Python {platform.python_version()}', *found])


def commit() -> str:
    """Returns the git commit of mmrev's checkout, with ``-dirty`` after changes; empty outside a checkout."""
    package = Path(mmrev.__file__).parent
    if _git(package, 'ls-files', '--error-unmatch', Path(mmrev.__file__).name) is None:
        return ''  # the folder may lie in the checkout of something else
    head = _git(package, 'rev-parse', 'HEAD')
    if head is None:
        return ''
    return head + ('-dirty' if _git(package.parent, 'status', '--porcelain', '--untracked-files=no') else '')


def device() -> str:
    """Returns the name of the GPU, or of the CPU with the number of threads."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f'{_cpu()}, {torch.get_num_threads()} threads'


def sha256(path: Path) -> str:
    """Returns the hash of a file.

    Example:
        >>> import os, tempfile
        >>> empty = Path(tempfile.mkdtemp(), 'empty')
        >>> empty.touch()
        >>> sha256(empty)[:8]
        'e3b0c442'
    """
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _cpu() -> str:
    facts = Path('/proc/cpuinfo')
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or platform.machine()


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(['git', '-C', str(folder), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
