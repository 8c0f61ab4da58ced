"""The host that gives the network, and arguments that this host does not take."""

import inspect
import sys
from types import ModuleType

import pytest
from fresh_process import run_fresh
from mmengine.registry import MODELS, DefaultScope
from mmseg.models import ResNet
from stacks import own

from mmrev.errors import ConfigError
from mmrev.hosts import HOSTS, host_problem
from mmrev.models import CBAMMobileNetV2, RAMobileNetV2, RAResNet

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
        + '=='.join(own('mmseg'))
    )


def test_the_layers_need_torch_alone():
    code = (
        'import torch; from mmrev.models.layers import ReverseAttentionAddition\n'
        'print(ReverseAttentionAddition(4)(torch.ones(1, 4, 2, 2), torch.ones(1, 4, 2, 2)).sum().item())'
    )
    assert run_fresh(code, absent=['mmengine', 'mmcv', 'mmseg', 'mmpretrain', 'mmdet']).strip() == '32.0'


@pytest.mark.parametrize(
    ('scope', 'host'),
    [
        ('mmseg', 'mmseg'),
        ('mmpretrain', 'mmpretrain'),
        ('mmengine', 'mmseg'),
        pytest.param('mmdet', 'mmdet', marks=pytest.mark.skipif(bool(host_problem('mmdet', ops=True)), reason='mmdet')),
    ],
)
def test_the_host_of_the_default_scope_gives_the_network(scope, host):
    with DefaultScope.overwrite_default_scope(scope):
        network = RAMobileNetV2(0.25)
    mixin, theirs = type(network).__bases__
    assert mixin is RAMobileNetV2 and theirs.__module__ == f'{host}.models.backbones.mobilenet_v2'


def test_the_table_of_hosts_is_enough_for_a_fourth_host(monkeypatch):
    class Wide(ResNet):
        pass

    models = ModuleType('fourth.models')
    models.ResNet = Wide
    monkeypatch.setitem(sys.modules, 'fourth', ModuleType('fourth'))
    monkeypatch.setitem(sys.modules, 'fourth.models', models)
    monkeypatch.setitem(HOSTS, 'fourth', HOSTS['mmseg'])
    monkeypatch.setattr('mmrev.models.backbones.host_network.host_problem', lambda host, ops=False: None)
    with DefaultScope.overwrite_default_scope('fourth'):
        assert isinstance(RAResNet(18), Wide)
        assert not isinstance(
            RAMobileNetV2(), Wide
        )  # the fourth host has no MobileNetV2, so the table's first host gives it


def test_a_host_that_cannot_be_used_is_passed_over(monkeypatch):
    monkeypatch.setattr(
        'mmrev.models.backbones.host_network.host_problem', lambda host, ops=False: 'broken' * (host == 'mmseg')
    )
    assert 'mmpretrain' in str(type(RAResNet(18)).__mro__)


def test_an_unknown_argument_is_named_with_those_of_the_host():
    with pytest.raises(ConfigError) as caught:
        RAResNet(depth=18, contract_dilatoin=True)
    message = str(caught.value)
    assert '\n' not in message
    assert message.startswith(
        "unknown argument 'contract_dilatoin' of RAResNet (on mmseg's ResNet): use one of 'depth',"
    )
    assert message.endswith("; did you mean 'contract_dilation'?")
    ours = ['aggregation', 'normalization', 'activation', 'eps']
    for name in [*inspect.signature(ResNet).parameters, *ours]:
        assert message.count(f"'{name}'") == 1 + (name == 'contract_dilation')
    assert 'args' not in message


def test_a_misspelled_option_of_ours_is_suggested():
    with pytest.raises(ConfigError, match="did you mean 'aggregation'"):
        RAMobileNetV2(agregation='l1')
    with pytest.raises(ConfigError, match="unknown argument 'reductoin' of CBAMMobileNetV2.*did you mean 'reduction'"):
        CBAMMobileNetV2(reductoin=4)


@pytest.mark.parametrize(
    ('scope', 'argument', 'other'),
    [('mmseg', 'drop_path_rate', 'mmpretrain'), ('mmpretrain', 'contract_dilation', 'mmseg')],
)
def test_an_argument_of_another_host_names_that_hosts_scope(scope, argument, other):
    with DefaultScope.overwrite_default_scope(scope), pytest.raises(ConfigError) as caught:
        RAResNet(depth=18, **{argument: 0})
    assert f"unknown argument '{argument}' of RAResNet (on {scope}'s ResNet)" in str(caught.value)
    assert str(caught.value).endswith(f"; {other}'s ResNet takes it: set default_scope = '{other}'")


def test_an_argument_that_no_host_takes_has_no_hint():
    with pytest.raises(ConfigError, match="'eps'$"):
        RAResNet(depth=18, zzz=1)


def test_the_registry_passes_the_line_on():
    with pytest.raises(
        ConfigError, match="^unknown argument 'foo' of RAResNet .on mmseg's ResNet.: use one of 'depth'"
    ):
        MODELS.build(dict(type='mmrev.RAResNet', depth=18, foo=1))


def test_a_network_that_takes_any_argument_checks_them_itself(monkeypatch):
    class Open(ResNet):
        def __init__(self, depth, **kwargs):
            self.given = kwargs
            super().__init__(depth)

    monkeypatch.setattr('mmseg.models.ResNet', Open)
    assert RAResNet(18, foo=1).given == dict(zero_init_residual=False, foo=1)


def test_positional_arguments():
    assert RAResNet(18, 4).conv1.in_channels == 4


def test_a_subclass_with_a_constructor_and_a_forward():
    class Mine(RAResNet):
        def __init__(self, *args, scale=2.0, **kwargs):
            super().__init__(*args, **kwargs)
            self.scale = scale

        def forward(self, x):
            return [self.scale * out for out in super().forward(x)]

    network = Mine(18, scale=3.0, aggregation='l1')
    assert isinstance(network, Mine) and isinstance(network, ResNet) and network.scale == 3.0
    assert network.layer1[0].addition.gate.aggregation == 'l1'
    with pytest.raises(ConfigError, match="'scale'.*'aggregation'.*did you mean 'scale'"):
        Mine(18, scal=1.0)


def test_the_class_of_a_network_builds_another_one():
    network = RAResNet(18)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        assert type(type(network)(34)) is type(network)


def test_a_host_whose_train_returns_nothing():
    assert RAResNet(18).train() is not None and RAResNet(18).eval().training is False
