"""Which OpenMMLab packages are here, and what to do about one that is missing or broken."""
from collections.abc import Iterable
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING

from .errors import HostError

if TYPE_CHECKING:  # explains a missing stack too, so it must import without one
    from mmengine.registry import Registry

# import name: (the maintained distribution, the one it continues, which owns the same folder, a version that is known
# to work with the others)
DISTRIBUTIONS = {
    'mmseg': ('onedl-mmsegmentation', 'mmsegmentation', '1.4.2'),
    'mmpretrain': ('onedl-mmpretrain', 'mmpretrain', '1.3.6'),
    'mmdet': ('onedl-mmdetection', 'mmdet', '3.5.1'),
    'mmcv': ('onedl-mmcv', 'mmcv', '2.3.6'),
}


@cache
def host_problem(host: str, ops: bool = False) -> str | None:
    """One line on why an OpenMMLab package cannot be used and what to do, or None if all is well.

    Args:
        host: Its import name.
        ops: mmcv's compiled operators are needed too (detectors).
    """
    for package in ('mmcv', host):  # mmseg and mmdet import without the mmcv that their models need
        if problem := _package_problem(package):
            return problem
    if ops and find_spec('mmcv._ext') is None:
        return ('mmcv is here without its compiled operators, which detectors and some heads need: pip install '
                '--force-reinstall --no-deps --no-cache-dir --no-build-isolation onedl-mmcv==2.3.6 (takes minutes; '
                'needs gcc, ninja and setuptools>=80)')
    return None


def require_host(host: str, wanted_by: str, ops: bool = False) -> None:
    """Raises HostError with one line if the package cannot be used."""
    if problem := host_problem(host, ops):
        raise HostError(f'{wanted_by} cannot be built: {problem}')


def register_explanations(registry: 'Registry', host: str, names: Iterable[str]) -> None:
    """Stands in for the classes of a missing host, so that building one says what to install."""
    for name in names:
        def explain(*_, name: str = name, **__) -> None:
            require_host(host, f'mmrev.{name}')
        registry.register_module(name, module=explain)


def _package_problem(package: str) -> str | None:
    new, old, known = DISTRIBUTIONS[package]
    if find_spec(package) is None:
        return f'{package} is not installed: pip install {new}=={known}'
    if _installed(new) and _installed(old):
        version = metadata.version(new)
        return (f'{old} {metadata.version(old)} lies over {new} {version} in the folder {package}/: '
                f'pip uninstall -y {old} && pip install --force-reinstall --no-deps {new}=={version}')
    try:
        import_module(package)
    except Exception as error:  # version checks in these packages are bare asserts
        return f'{package} does not import: {_why(error)}'
    return None


def _installed(distribution: str) -> bool:
    return any(metadata.distributions(name=distribution))


def _why(error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if 'libGL' in reason:
        return (f'{reason}. On a machine without a screen: pip uninstall -y opencv-python && '
                'pip install --force-reinstall --no-deps opencv-python-headless')
    return reason
