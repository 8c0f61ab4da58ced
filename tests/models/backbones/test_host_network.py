"""The backbones where only some of the OpenMMLab packages are installed."""

import pytest
from fresh_process import run_fresh

BUILD = """
from mmengine.registry import DefaultScope
from mmrev.registry import MODELS
with DefaultScope.overwrite_default_scope({scope!r}):
    try:
        network = MODELS.build(dict(type='mmrev.{name}', **{options}))
        print(*sorted({{cls.__module__.split('.')[0] for cls in type(network).__mro__}} & {{'mmseg', 'mmpretrain'}}))
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ('scope', 'absent', 'host'),
    [
        ('mmpretrain', ['mmseg', 'mmdet'], 'mmpretrain'),
        ('mmseg', ['mmpretrain', 'mmdet'], 'mmseg'),
        ('mmengine', ['mmseg', 'mmdet'], 'mmpretrain'),
    ],
)
def test_one_package_is_enough(scope, absent, host):
    code = BUILD.format(scope=scope, name='RAResNet', options=dict(depth=18))
    assert run_fresh(code, absent=absent).split() == [host]


def test_without_any_it_says_what_to_install():
    code = BUILD.format(scope='mmengine', name='SEMobileNetV2', options={})
    assert run_fresh(code, absent=['mmseg', 'mmpretrain', 'mmdet']).strip() == (
        'HostError a MobileNetV2 needs an OpenMMLab package: mmseg is not installed: pip install '
        'onedl-mmsegmentation==1.4.2'
    )


def test_the_layers_need_torch_alone():
    code = (
        'import torch; from mmrev.models.layers import ReverseAttentionAddition\n'
        'print(ReverseAttentionAddition(4)(torch.ones(1, 4, 2, 2), torch.ones(1, 4, 2, 2)).sum().item())'
    )
    assert run_fresh(code, absent=['mmengine', 'mmcv', 'mmseg', 'mmpretrain', 'mmdet']).strip() == '32.0'
