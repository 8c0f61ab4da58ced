"""``mmrev doctor``: prints the stack and says what works on it. The first thing to paste into a bug report."""

import argparse
import contextlib
import io
import os
import platform
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path

from mmrev import __version__
from mmrev.hosts import PACKAGES, host_problem, installed, owners

# Each row of the report shows the versions of these distributions. Most environments have one of several rivals.
THIRD_PARTY = {
    'torch': ('torch',),
    'torchvision': ('torchvision',),
    'numpy': ('numpy',),
    'opencv': ('opencv-python', 'opencv-python-headless', 'opencv-contrib-python', 'opencv-contrib-python-headless'),
    'numba': ('numba',),
    'triton': ('triton', 'triton-windows'),
    'pydensecrf': ('pydensecrf2', 'pydensecrf'),
}
SLOW = 'RANet is some hundred times slower'
CPU_ALONE = 'for a CPU alone'
NOTHING = "mmrev.models.layers needs torch alone; for the rest: pip install 'mmrev[stack]' into an empty environment"


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the report.

    Returns:
        The exit status: 0 if segmentation or classification works, 1 if neither does.
    """
    argparse.ArgumentParser(
        prog='mmrev doctor', description='Print the installed stack, what works on it and how to mend the rest.'
    ).parse_args(argv)
    for line in versions():
        print(line)
    sys.stdout.flush()  # a broken package may end the process while it is imported
    print('\nhardware')
    for name, answer in HARDWARE.items():
        print(_row(name, _ask(answer)))
    print('\nworks')
    problems = {name: _ask(problem) for name, problem in ABILITIES.items()}
    for name, problem in problems.items():
        print(_row(name, f'no: {problem}' if problem else 'yes'))
    if not problems['segmentation'] or not problems['classification']:
        return 0
    if not any(owners(package) for package in PACKAGES):
        print(f'\n{NOTHING}')
    return 1


def versions() -> Iterator[str]:
    """Lists what is installed, by metadata alone. Nothing is imported, so a broken package does no harm."""
    yield f'mmrev {__version__}, Python {platform.python_version()}, {platform.platform()}, {_cpus()} CPUs'
    yield '\ninstalled'
    for name in ('torch', 'torchvision', 'numpy', 'opencv'):
        yield _row(name, _versions(name, THIRD_PARTY[name]))
    for package in PACKAGES:
        found = owners(package)
        yield _row(package, _versions(package, found) + '  TWO OWNERS OF ONE FOLDER' * (len(found) > 1))
    for name in ('numba', 'triton', 'pydensecrf'):
        yield _row(name, _versions(name, THIRD_PARTY[name]))


def _versions(name: str, distributions: Sequence[str]) -> str:
    found = [distribution for distribution in distributions if installed(distribution)]
    texts = [f'{"" if each == name else each} {metadata.version(each)}'.strip() for each in found]
    return ', '.join(texts) or 'not installed'


def _gpu() -> str:
    torch = import_module('torch')
    built = f'torch is built for CUDA {torch.version.cuda}' if torch.version.cuda else 'torch is built without CUDA'
    if not torch.cuda.is_available():
        return f'none ({built})'
    names = [torch.cuda.get_device_name(device) for device in range(torch.cuda.device_count())]
    return f'{", ".join(names)} ({built})'


def _operators() -> str:
    import_module('torch')  # before the operators, which are linked with it
    cuda = import_module('mmcv.ops').get_compiling_cuda_version()
    return f'compiled, {CPU_ALONE if cuda == "not available" else f"for CUDA {cuda}"}'


def _models_problem(host: str, ops: bool = False) -> str | None:
    return host_problem(host, ops) or _numpy_problem() or (_gpu_operators_problem() if ops else None)


def _numpy_problem() -> str | None:
    """Tells whether torch sees NumPy's arrays. A torch below 2.3 does not see those of NumPy 2."""
    torch = import_module('torch')
    try:
        torch.zeros(1).numpy()
    except RuntimeError as error:
        return f"torch {torch.__version__} cannot use this NumPy ({error}): pip install 'numpy<2'"
    return None


def _gpu_operators_problem() -> str | None:
    """Tells whether a GPU is here, and the operators do not run on it. A training would fail in its first iteration."""
    if import_module('torch').cuda.is_available() and CPU_ALONE in _operators():
        return (
            "mmcv's operators are compiled for a CPU alone: compile them again where nvcc is installed, with pip "
            'install --force-reinstall --no-deps --no-cache-dir --no-build-isolation '
            f'{owners("mmcv")[0]}=={metadata.version(owners("mmcv")[0])}'
        )
    return None


def _ranet_cpu_problem() -> str | None:
    if find_spec('numba') is None:
        return f'without Numba, {SLOW} on a CPU: pip install numba'
    import_module('numba')
    return None


def _ranet_gpu_problem() -> str | None:
    torch = import_module('torch')
    if not torch.cuda.is_available():
        return 'torch finds no GPU'
    if find_spec('triton') is None:
        return f'without Triton, {SLOW} on a GPU: pip install triton'
    if not hasattr(import_module('triton.language'), 'log2'):
        version = metadata.version('triton')
        return (
            f"with Triton {version}, which is older than 3, {SLOW} on a GPU: pip install 'torch>=2.4' brings Triton 3"
        )
    return None


def _crf_problem() -> str | None:
    if find_spec('pydensecrf') is None:
        return "mmrev's own lattice stands in, some seven times slower: pip install pydensecrf2==1.1"
    import_module('pydensecrf.densecrf')
    return None


HARDWARE: dict[str, Callable[[], str | None]] = {'GPU': _gpu, 'mmcv operators': _operators}
ABILITIES: dict[str, Callable[[], str | None]] = {
    'segmentation': partial(_models_problem, 'mmseg'),
    'classification': partial(_models_problem, 'mmpretrain'),
    'detection': partial(_models_problem, 'mmdet', ops=True),
    'RANet fast, CPU': _ranet_cpu_problem,
    'RANet fast, GPU': _ranet_gpu_problem,
    'CRF fast': _crf_problem,
}


def _ask(question: Callable[[], str | None]) -> str | None:
    """Returns the answer, or the error in one line. The packages' own greetings and warnings are not shown."""
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            answer = question()
        except Exception as error:
            answer = str(error).strip().partition('\n')[0] or type(error).__name__
    return answer and _without_paths(answer)


def _without_paths(text: str) -> str:
    for path, name in ((sys.prefix, '<environment>'), (str(Path.home()), '~')):
        text = text.replace(path, name) if len(path) > 1 else text
    return text


def _cpus() -> int:
    """Counts the CPUs that this process may use. A container may have fewer than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1


def _row(name: str, text: str | None) -> str:
    return f'  {name:16s} {text}'
