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
Branch = tuple[str, ...]


@dataclass(frozen=True)
class Package:
    """The two distributions of one import name: open-mmlab's, frozen since 2024, and the one that continues it.

    Both own the same folder, so only one of them can be installed.

    Args:
        maintained: The name and version of the one that is maintained.
        original: The name and version of open-mmlab's own.
        variants: The names of open-mmlab's further distributions of the same folder.
    """

    maintained: tuple[str, str]
    original: tuple[str, str]
    variants: Sequence[str] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class Host(Package):
    """The facts that mmrev needs about a host. The import name of a host is its default scope.

    Args:
        task: The task of its models.
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
        draw=dict(draw=True, interval=1),
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
PACKAGES: Mapping[str, Package] = {
    'mmengine': Package(('onedl-mmengine', '0.10.12'), ('mmengine', '0.10.7')),
    'mmcv': Package(('onedl-mmcv', '2.3.6'), ('mmcv', '2.1.0'), variants=('mmcv-lite', 'mmcv-full')),
    **HOSTS,
}


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
    for package in ('mmengine', 'mmcv', host):  # mmseg and mmdet import without the mmcv that their models need
        if problem := _package_problem(package):
            return problem
    return _problem_of_imports('mmcv', 'mmcv._ext', 'mmcv.ops') if ops else None


def require_host(host: str, wanted_by: str, ops: bool = False) -> None:
    """Raises HostError with one line if the package cannot be used."""
    if problem := host_problem(host, ops):
        raise HostError(f'{wanted_by} cannot be built: {problem}')


def head_of(cfg: Mapping[str, Any]) -> dict:
    """Returns the config of the head that scores the classes, inside a head of mmrev too; {} without one.

    Example:
        >>> inner = dict(type='FCNHead', num_classes=3)
        >>> head_of(dict(model=dict(decode_head=dict(type='mmrev.ScaleAttentionHead', head=inner))))['type']
        'FCNHead'
    """
    model = cfg.get('model') or {}
    head = model.get('decode_head') or model.get('head') or {}
    return inner_head(head) if isinstance(head, dict) else {}  # a cascade has a list of heads


def inner_head(head: dict) -> dict:
    """Returns the config of the head inside ``ScaleAttentionHead`` and ``ReverseAttentionWrapper``, or ``head`` itself.

    Example:
        >>> inner_head(dict(type='mmrev.ReverseAttentionWrapper', head='FCNHead', num_classes=3))
        {'type': 'FCNHead', 'num_classes': 3}
    """
    while inner := head.get('head'):
        rest = {key: value for key, value in head.items() if key not in ('head', 'mode')}
        head = dict(rest, type=inner) if isinstance(inner, str) else inner
    return head


def register_explanations(registry: 'Registry', host: str, names: Iterable[str]) -> None:
    """Registers a function in place of each class of a missing host. It raises a HostError, as :func:`require_host`."""
    for name in names:

        def explain(*_: Any, name: str = name, **__: Any) -> None:
            require_host(host, f'mmrev.{name}')

        registry.register_module(name, module=explain)


def owners(package: str) -> list[str]:
    """Lists the installed distributions that own the folder of a package. Two of them are a problem.

    Example:
        >>> len(owners('mmengine'))
        1
    """
    known = PACKAGES[package]
    return [name for name in (known.maintained[0], known.original[0], *known.variants) if installed(name)]


def installed(distribution: str) -> bool:
    """Tells whether a distribution is installed, without importing it.

    Example:
        >>> installed('torch'), installed('no-such-package')
        (True, False)
    """
    return any(metadata.distributions(name=distribution))


def _package_problem(package: str) -> str | None:
    if find_spec(package) is None:
        return f'{package} is not installed: {_install(package)}'
    if len(owners(package)) > 1:
        return _two_owners(package)
    if package in HOSTS and not HOSTS[package].operators:
        return _problem_of_imports(package, package, f'{package}.models')  # mmseg may import where its models do not
    return _problem_of_imports(package, package)


def _problem_of_imports(package: str, *modules: str) -> str | None:
    try:
        for module in modules:
            if find_spec(module) is None:
                raise ModuleNotFoundError(f'No module named {module!r}', name=module)
            import_module(module)
    except Exception as error:  # version checks in these packages are bare asserts
        return _import_problem(package, error)
    return None


def _two_owners(package: str) -> str:
    found, wanted = owners(package), _distribution(package)[0]
    keep = wanted if wanted in found else found[0]
    others = [name for name in found if name != keep]
    mend = f'pip uninstall -y {" ".join(others)} && pip install --force-reinstall --no-deps {keep}=='
    mend = _compile() if keep == 'mmcv' else mend + metadata.version(keep)
    over = ' and '.join(f'{name} {metadata.version(name)}' for name in others)
    return f'{over} lies over {keep} {metadata.version(keep)} in the folder {package}/: {mend}'


def _import_problem(package: str, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if 'mmcv._ext' in reason:
        return f'mmcv is here without its compiled operators, which detectors and some heads need: {_compile()}'
    if 'mmcv' in reason and '_ext.' in reason:  # the file of the operators lacks a symbol
        return f"mmcv's compiled operators do not load, perhaps another torch compiled them: {_compile()}. {reason}"
    if 'libGL' in reason:
        reason += (
            '. On a machine without a screen: pip uninstall -y opencv-python && '
            'pip install --force-reinstall --no-deps opencv-python-headless'
        )
    elif 'MMCV==' in reason:  # a host does not take this version of mmcv
        reason += f' Here: {_install("mmcv")}'
    elif isinstance(error, ModuleNotFoundError) and error.name:
        reason += f': pip install {_DISTRIBUTIONS.get(error.name, error.name)}'
    return f'{package} does not import: {reason}'


# the import names that differ from the name of the distribution
_DISTRIBUTIONS = {'cv2': 'opencv-python-headless', 'PIL': 'pillow', 'yaml': 'PyYAML', 'sklearn': 'scikit-learn'}


def _install(package: str) -> str:
    """Returns the command that installs a package: the distribution of the owner that is here already."""
    name, version = _distribution(package)
    return _compile() if name == 'mmcv' else f'pip install {name}=={version}'


def _compile() -> str:
    """Returns the command that compiles mmcv beside torch. By default pip builds where no torch is."""
    name, version = _distribution('mmcv')
    others = ' '.join(owner for owner in owners('mmcv') if owner != name)
    return (
        f'{others and f"pip uninstall -y {others} && "}pip install --force-reinstall --no-deps --no-cache-dir '
        f'--no-build-isolation {name}=={version} (takes minutes; needs g++, ninja and setuptools 80)'
    )


def _distribution(package: str) -> tuple[str, str]:
    """Returns the name and version of the owner whose mmengine is installed: the two owners do not mix."""
    known = PACKAGES[package]
    return known.original if owners('mmengine') == [PACKAGES['mmengine'].original[0]] else known.maintained
