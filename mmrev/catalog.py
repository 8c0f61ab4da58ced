"""Every public name of mmrev: the module that it lives in, and the host that it needs.

This is the only list. ``type='mmrev.X'`` in a config, ``from mmrev.models import X`` and the message about a missing
host all come from it. To add a class, decorate it with its registry and add one line here.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from .hosts import host_problem, register_explanations, require_host


class Entry(NamedTuple):
    """Where a public name lives.

    Args:
        module: Its module, below the package that offers it.
        host: The OpenMMLab package that the module imports; None if the module imports mmengine and torch alone.
        registry: The registry of :mod:`mmrev.registry` that holds it; None for a name that no config uses.
        plain: Whether torch is enough for it, without mmengine.
    """

    module: str
    host: str | None = None
    registry: str | None = 'MODELS'
    plain: bool = False


_ATTENTION_BACKBONES = Entry('backbones.attention_backbones')
_LARGE_FOV_HEAD = Entry('decode_heads.large_fov_head', 'mmseg')
_SEGMENTATION = Entry('segmentation', 'mmseg', 'DATASETS')
_TRANSFORMS = Entry('transforms', 'mmcv', 'TRANSFORMS')

CATALOG: Mapping[str, Mapping[str, Entry]] = {
    'mmrev.models': {
        'ASPPV2Head': _LARGE_FOV_HEAD,
        'CBAMMobileNetV2': _ATTENTION_BACKBONES,
        'CBAMResNet': _ATTENTION_BACKBONES,
        'ConcatASPP': Entry('necks.concat_aspp', 'mmseg'),
        'DilatedResNet': Entry('backbones.dilated_resnet', 'mmseg'),
        'LargeFOVHead': _LARGE_FOV_HEAD,
        'LargeFOVVGG': Entry('backbones.large_fov_vgg', 'mmseg'),
        'MultiScaleEncoderDecoder': Entry('segmentors.multi_scale_encoder_decoder', 'mmseg'),
        'PoolDropout': Entry('necks.pool_dropout'),
        'RAMobileNetV2': _ATTENTION_BACKBONES,
        'RAResNet': _ATTENTION_BACKBONES,
        'RegionAttentionHead': Entry('decode_heads.region_attention_head', 'mmseg'),
        'ReverseAttentionHead': Entry('decode_heads.reverse_attention_head', 'mmseg'),
        'ReverseAttentionWrapper': Entry('decode_heads.reverse_attention_wrapper', 'mmseg'),
        'SEMobileNetV2': _ATTENTION_BACKBONES,
        'SEResNet': _ATTENTION_BACKBONES,
        'ScaleAttentionHead': Entry('decode_heads.scale_attention_head', 'mmseg'),
        'add_reverse_attention': Entry('surgery.add_reverse_attention', plain=True),
    },
    'mmrev.datasets': {
        'BoundaryLabels': _TRANSFORMS,
        'CamVidDataset': _SEGMENTATION,
        'CheckLabels': _TRANSFORMS,
        'DigitScenesDataset': Entry('digit_scenes', 'mmseg', 'DATASETS'),
        'NYUDv2Dataset': _SEGMENTATION,
        'PascalPersonPartDataset': _SEGMENTATION,
    },
    'mmrev.engine': {
        'CPUAmpOptimWrapper': Entry('cpu_amp', registry='OPTIM_WRAPPERS'),
        'CheckWeightsHook': Entry('hooks.check_weights_hook', registry='HOOKS'),
        'ExactResumeHook': Entry('hooks.exact_resume_hook', registry='HOOKS'),
        'FiniteLossHook': Entry('hooks.finite_loss_hook', registry='HOOKS'),
        'GracefulStopHook': Entry('hooks.graceful_stop_hook', registry='HOOKS'),
        'LabelCheckHook': Entry('hooks.label_check_hook', registry='HOOKS'),
        'ProgressBarHook': Entry('hooks.progress_bar_hook', registry='HOOKS'),
        'ProgressFileHook': Entry('hooks.progress_file_hook', registry='HOOKS'),
        'RegionPicturesHook': Entry('hooks.region_pictures_hook', registry='HOOKS'),
        'TemperatureAnnealingHook': Entry('hooks.temperature_annealing_hook', registry='HOOKS'),
        'WorkDirHook': Entry('hooks.work_dir_hook', registry='HOOKS'),
        'convert_deeplabv2': Entry('deeplabv2_ports', registry=None),
        'read_checkpoint': Entry('checkpoints', registry=None),
    },
}


def register_all(package: str) -> list[str]:
    """Imports the modules of a package's public names, which puts them into their registries.

    A class whose host is missing is replaced in its registry by a function that says what to install.

    Returns:
        The public names, sorted, for ``__all__``.
    """
    entries = CATALOG[package]
    if all(map(find_spec, ('torch', 'mmengine'))):  # mmrev.models.layers can be imported with torch alone
        for name, entry in entries.items():
            if entry.host and host_problem(entry.host):
                registry = getattr(import_module('mmrev.registry'), str(entry.registry))
                register_explanations(registry, entry.host, [name])
            else:
                import_module(f'{package}.{entry.module}')
    return sorted(entries)


def resolve(package: str, name: str) -> Any:
    """Finds a public name of a package.

    Raises:
        AttributeError: The package offers no such name.
        HostError: Its host is missing or broken.
    """
    entry = CATALOG[package].get(name)
    if entry is None:
        raise AttributeError(f'module {package!r} has no attribute {name!r}')
    if not entry.plain:
        require_host(entry.host or 'mmengine', f'{package}.{name}')
    return getattr(import_module(f'{package}.{entry.module}'), name)
