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
    """The distributions of one import name.

    Args:
        distribution: The maintained distribution.
        original: The distribution that it continues. Both own the same folder.
        version: A version of the maintained one that works with the others.
    """

    distribution: str
    original: str
    version: str


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
        'onedl-mmsegmentation',
        'mmsegmentation',
        '1.4.2',
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
        'onedl-mmpretrain',
        'mmpretrain',
        '1.3.6',
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
        'onedl-mmdetection',
        'mmdet',
        '3.5.1',
        task='detection',
        dataset='CocoDataset',
        draw=dict(draw=True),
        operators=True,
        blocks={**_RESNET, 'models.layers.inverted_residual.InvertedResidual': 'inverted_residual'},
        branches=_SWIN,
    ),
}
PACKAGES: Mapping[str, Package] = {**HOSTS, 'mmcv': Package('onedl-mmcv', 'mmcv', '2.3.6')}


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
        return (
            'mmcv is here without its compiled operators, which detectors and some heads need: pip install '
            '--force-reinstall --no-deps --no-cache-dir --no-build-isolation '
            f'{PACKAGES["mmcv"].distribution}=={PACKAGES["mmcv"].version} (takes minutes; needs gcc, ninja and '
            'setuptools>=80)'
        )
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
    new, old = PACKAGES[package].distribution, PACKAGES[package].original
    if find_spec(package) is None:
        return f'{package} is not installed: pip install {new}=={PACKAGES[package].version}'
    if _installed(new) and _installed(old):
        version = metadata.version(new)
        return (
            f'{old} {metadata.version(old)} lies over {new} {version} in the folder {package}/: '
            f'pip uninstall -y {old} && pip install --force-reinstall --no-deps {new}=={version}'
        )
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
        return (
            f'{reason}. On a machine without a screen: pip uninstall -y opencv-python && '
            'pip install --force-reinstall --no-deps opencv-python-headless'
        )
    return reason
