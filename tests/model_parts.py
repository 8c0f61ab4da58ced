"""Small layers, heads, backbones and segmentors of all four methods with their inputs, for tests of how they run."""

import torch
from mmengine.registry import MODELS
from torch import nn

from mmrev.models.layers import CBAM, HypercolumnConv, ModifiedGRN, SqueezeExcitation
from mmrev.models.layers.residual_addition import CBAMAddition, ReverseAttentionAddition, SEAddition

SCORES = dict(in_channels=8, in_index=1, num_classes=5)
ATTENTION = dict(type='mmrev.ScaleAttentionHead', in_channels=[4, 8, 16, 32], num_classes=5)
THIN = dict(depth=18, base_channels=4)
RAN = dict(type='mmrev.ReverseAttentionHead', in_channels=32, in_index=3, num_classes=5)
MAP = (2, 8, 6, 7)


def layer(kind, **options):
    return kind(8, **options)


def built(kind, **options):
    return MODELS.build(dict(type=kind, **options))


def segmentor(**options):
    config = dict(backbone=dict(type='mmrev.RAResNet', **THIN), decode_head=RAN, train_cfg={}, test_cfg={}, **options)
    return built('mmrev.MultiScaleEncoderDecoder', **config)


def one():
    return (torch.randn(MAP),)


def two():
    return torch.randn(MAP), torch.randn(MAP)


def features():
    return ([torch.randn(2, 6, 12, 16), torch.randn(2, 8, 6, 8)],)


def images():
    return (torch.randn(2, 3, 64, 48),)


PARTS = {
    **{
        f'gate {options}': (lambda options=options: layer(ModifiedGRN, **options), one)
        for options in (
            {},
            *(dict(aggregation=name) for name in ('l1', 'gap', 'gmp')),
            *(dict(normalization=name) for name in ('none', 'bn', 'ln')),
            *(dict(activation=name) for name in ('sigmoid', 'softmax')),
        )
    },
    'RA': (lambda: layer(ReverseAttentionAddition), two),
    'SE': (lambda: layer(SqueezeExcitation, reduction=2), one),
    'CBAM': (lambda: layer(CBAM, reduction=2), one),
    'SE addition': (lambda: layer(SEAddition, reduction=2), two),
    'CBAM addition': (lambda: layer(CBAMAddition, reduction=2), two),
    'hypercolumn': (lambda: HypercolumnConv([6, 8], 3), features),
    **{
        f'RAN {mode}': (lambda mode=mode: built('mmrev.ReverseAttentionHead', mode=mode, **SCORES), features)
        for mode in ('simple', 'normalized', 'dual')
    },
    'LargeFOV': (lambda: built('mmrev.LargeFOVHead', **SCORES), features),
    'ASPP': (lambda: built('mmrev.ASPPV2Head', **SCORES), features),
    'RANet': (lambda: built('mmrev.RegionAttentionHead', channels=6, **SCORES), features),
    'RANet image': (lambda: built('mmrev.RegionAttentionHead', channels=6, scope='image', **SCORES), features),
    **{
        name: (lambda name=name: built(f'mmrev.{name}', **THIN), images)
        for name in ('RAResNet', 'SEResNet', 'CBAMResNet')
    },
    **{
        name: (lambda name=name: built(f'mmrev.{name}', widen_factor=0.1), images)
        for name in ('RAMobileNetV2', 'SEMobileNetV2', 'CBAMMobileNetV2')
    },
    'three scales': (lambda: segmentor(scales=(1.0, 0.75, 0.5)), images),
    'scale attention': (
        lambda: segmentor(scales=(1.0, 0.5), fusion=dict(ATTENTION, scale_channels=4, channels=4)),
        images,
    ),
}


def awake(module):
    for parameter in module.parameters():
        if parameter.dim() == 1:
            nn.init.normal_(parameter, 1, 0.2)
    return module.eval()


def flat(output):
    return [output] if isinstance(output, torch.Tensor) else list(output)
