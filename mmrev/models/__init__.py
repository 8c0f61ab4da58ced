from importlib.util import find_spec

from mmrev.hosts import host_problem, register_explanations, require_host

_NEED_MMSEG = ('ASPPV2Head', 'DilatedResNet', 'LargeFOVHead', 'LargeFOVVGG', 'MultiScaleEncoderDecoder',
               'RegionAttentionHead', 'ReverseAttentionHead', 'ScaleAttentionHead')

_STACK = all(map(find_spec, ('torch', 'mmengine')))  # the layers need torch alone

if _STACK:
    from .backbones import (
        CBAMMobileNetV2,
        CBAMResNet,
        RAMobileNetV2,
        RAResNet,
        SEMobileNetV2,
        SEResNet,
        add_reverse_attention,
    )
    from .necks import PoolDropout

if host_problem('mmseg') is None:
    from .backbones.dilated_resnet import DilatedResNet
    from .backbones.large_fov_vgg import LargeFOVVGG
    from .decode_heads import ASPPV2Head, LargeFOVHead, RegionAttentionHead, ReverseAttentionHead, ScaleAttentionHead
    from .segmentors import MultiScaleEncoderDecoder
else:
    if _STACK:
        from mmrev.registry import MODELS

        register_explanations(MODELS, 'mmseg', _NEED_MMSEG)

    def __getattr__(name: str) -> None:
        if name in _NEED_MMSEG:
            require_host('mmseg', f'mmrev.models.{name}')
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')

__all__ = ['ASPPV2Head', 'CBAMMobileNetV2', 'CBAMResNet', 'DilatedResNet', 'LargeFOVHead', 'LargeFOVVGG',
           'MultiScaleEncoderDecoder', 'PoolDropout', 'RAMobileNetV2', 'RAResNet', 'RegionAttentionHead',
           'ReverseAttentionHead', 'SEMobileNetV2', 'SEResNet', 'ScaleAttentionHead', 'add_reverse_attention']
