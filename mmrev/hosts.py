"""The OpenMMLab packages that mmrev plugs into ("hosts"), and what to do about one that is missing or broken.

``HOSTS`` is the only place that knows a host's names. A further host is a further entry.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from .errors import HostError

if TYPE_CHECKING:  # this module explains a missing stack, so it must import without one
    from mmengine.registry import Registry

# (the part whose input is the shortcut x, the part whose output is the residual F(x) that the block adds to it)
Branch = tuple[str, str]


@dataclass(frozen=True)
class Package:
    """The two distributions of one import name: open-mmlab's, frozen since 2024, and the one that continues it.

    Both own the same folder, so only one of them can be installed.

    Args:
        maintained: The name and version of the one that is maintained.
        original: The name and version of open-mmlab's own.
    """

    maintained: tuple[str, str]
    original: tuple[str, str]


@dataclass(frozen=True)
class Host(Package):
    """What mmrev knows of a host. Its import name is its default scope.

    Args:
        task: What its models do.
        operators: Whether all its models need mmcv's compiled operators.
        operator_heads: The heads that need them where the other models do not.
        heads_off_meta: The heads that do not run on torch's meta device.
        dataset: The base class of the data sets that ``--quick`` can imitate.
        draw: The options with which its visualization hook draws every prediction.
        blocks: Residual blocks of two branches, by their path below the host: ``'resnet'`` or ``'inverted_residual'``.
        branches: Blocks that add their input to a part of themselves, by their path below the host.
    """

    task: Literal['segmentation', 'classification', 'detection']
    dataset: str
    draw: Mapping[str, Any]
    operators: bool = False
    operator_heads: Sequence[str] = ()
    heads_off_meta: Sequence[str] = ()
    blocks: Mapping[str, str] = field(default_factory=dict)
    branches: Mapping[str, Sequence[Branch]] = field(default_factory=dict)


_RESNET = {f'models.backbones.resnet.{block}': 'resnet' for block in ('BasicBlock', 'Bottleneck')}
_SWIN = {'models.backbones.swin.SwinBlock': (('norm1', 'attn'), ('norm2', 'ffn.dropout_layer'))}

HOSTS = {
    'mmseg': Host(
        ('onedl-mmsegmentation', '1.4.2'),
        ('mmsegmentation', '1.2.2'),
        task='segmentation',
        dataset='BaseSegDataset',
        draw=dict(draw=True),
        operator_heads=('CCHead', 'PSAHead'),
        heads_off_meta=('PSAHead',),
        blocks={**_RESNET, 'models.utils.inverted_residual.InvertedResidual': 'inverted_residual'},
        branches={
            **_SWIN,
            'models.backbones.vit.TransformerEncoderLayer': (
                ('ln1', 'attn.dropout_layer'),
                ('ln2', 'ffn.dropout_layer'),
            ),
        },
    ),
    'mmpretrain': Host(
        ('onedl-mmpretrain', '1.3.6'),
        ('mmpretrain', '1.2.0'),
        task='classification',
        dataset='CustomDataset',
        draw=dict(enable=True, interval=1),
        blocks={**_RESNET, 'models.backbones.mobilenet_v2.InvertedResidual': 'inverted_residual'},
        branches={
            'models.backbones.convnext.ConvNeXtBlock': (('depthwise_conv', 'drop_path'),),
            'models.backbones.vision_transformer.TransformerEncoderLayer': (
                ('ln1', 'attn'),
                ('ln2', 'ffn.dropout_layer'),
            ),
            'models.backbones.swin_transformer.SwinBlock': (('norm1', 'attn'), ('norm2', 'ffn.dropout_layer')),
        },
    ),
    'mmdet': Host(
        ('onedl-mmdetection', '3.5.1'),
        ('mmdet', '3.3.0'),
        task='detection',
        dataset='CocoDataset',
        draw=dict(draw=True),
        operators=True,
        blocks={**_RESNET, 'models.layers.inverted_residual.InvertedResidual': 'inverted_residual'},
        branches=_SWIN,
    ),
}
PACKAGES: Mapping[str, Package] = {**HOSTS, 'mmcv': Package(('onedl-mmcv', '2.3.6'), ('mmcv', '2.1.0'))}


@cache
def host_problem(host: str, ops: bool = False) -> str | None:
    """Says in one line why an OpenMMLab package cannot be used, and what to do.

    Args:
        host: Its import name.
        ops: Whether mmcv's compiled operators are needed too, as by detectors.

    Returns:
        The line, or None if all is well.

    Example:
        >>> host_problem('mmseg') is None
        True
    """
    for package in ('mmcv', host):  # mmseg and mmdet import without the mmcv that their models need
        if problem := _package_problem(package):
            return problem
    return _OPERATORS.format(_requirement('mmcv')) if ops and find_spec('mmcv._ext') is None else None


def require_host(host: str, wanted_by: str, ops: bool = False) -> None:
    """Raises HostError with one line if the package cannot be used."""
    if problem := host_problem(host, ops):
        raise HostError(f'{wanted_by} cannot be built: {problem}')


def register_explanations(registry: 'Registry', host: str, names: Iterable[str]) -> None:
    """Registers a function in place of each class of a missing host. It raises the HostError of :func:`require_host`."""
    for name in names:

        def explain(*_: Any, name: str = name, **__: Any) -> None:
            require_host(host, f'mmrev.{name}')

        registry.register_module(name, module=explain)


_OPERATORS = (
    'mmcv is here without its compiled operators, which detectors and some heads need: pip install --force-reinstall '
    '--no-deps --no-cache-dir --no-build-isolation {} (takes minutes; needs gcc, ninja and setuptools>=80)'
)


def _package_problem(package: str) -> str | None:
    if find_spec(package) is None:
        return f'{package} is not installed: pip install {_requirement(package)}'
    new, old = PACKAGES[package].maintained[0], PACKAGES[package].original[0]
    if _installed(new) and _installed(old):
        version = metadata.version(new)
        return (
            f'{old} {metadata.version(old)} lies over {new} {version} in the folder {package}/: '
            f'pip uninstall -y {old} && pip install --force-reinstall --no-deps {new}=={version}'
        )
    try:
        import_module(package)
        if package in HOSTS and not HOSTS[package].operators:
            import_module(f'{package}.models')  # open-mmlab's mmseg imports without operators, its models do not
    except Exception as error:  # version checks in these packages are bare asserts
        if 'mmcv._ext' in str(error):
            return _OPERATORS.format(_requirement('mmcv'))
        return f'{package} does not import: {_why(error)}'
    return None


def _requirement(package: str) -> str:
    """The distribution of the owner whose mmengine is installed: the two do not mix."""
    originals = _installed('mmengine') and not _installed('onedl-mmengine')
    name, version = PACKAGES[package].original if originals else PACKAGES[package].maintained
    return f'{name}=={version}'


def _installed(distribution: str) -> bool:
    return any(metadata.distributions(name=distribution))


def _why(error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if 'libGL' in reason:
        return (
            f'{reason}. On a machine without a screen: pip uninstall -y opencv-python && '
            'pip install --force-reinstall --no-deps opencv-python-headless'
        )
    return reason
