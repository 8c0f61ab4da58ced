"""RA-, SE- and CBAM-ResNet and MobileNetV2, each as a drop-in of each host."""

import pytest
import torch
import torchvision
from checks.backbone_checks import BackboneChecks
from mmengine.registry import MODELS, DefaultScope

from mmrev.errors import ConfigError, HostError
from mmrev.hosts import host_problem
from mmrev.models import RAMobileNetV2, RAResNet, SEResNet, add_reverse_attention
from mmrev.models.layers import CBAM, ModifiedGRN, SqueezeExcitation

HOSTS = [
    pytest.param(host, marks=pytest.mark.skipif(bool(host_problem(host, ops=host == 'mmdet')), reason=host))
    for host in ('mmseg', 'mmpretrain', 'mmdet')
]
SMALL = dict(type='ResNet', depth=18, base_channels=4, stem_channels=4, out_indices=(0, 1, 2, 3))
DEEP = dict(SMALL, depth=50)
WIDE = dict(SMALL, base_channels=16)
MOBILE = dict(type='MobileNetV2', widen_factor=0.25, out_indices=(1, 2, 4, 6))
WHOLE_MOBILE = dict(MOBILE, out_indices=(1, 2, 4, 7))  # with the last convolution, which mmseg leaves out


def variant(plain, prefix):
    return dict(plain, type=f'mmrev.{prefix}{plain["type"]}')


class TestRAResNet18(BackboneChecks):
    plain, backbone, own, exact = SMALL, variant(SMALL, 'RA'), 'gamma', True


class TestRAResNet50(BackboneChecks):
    plain, backbone, own, exact = DEEP, variant(DEEP, 'RA'), 'gamma', True


class TestRAResNet50InMmpretrain(TestRAResNet50):
    scope = 'mmpretrain'


@pytest.mark.skipif(bool(host_problem('mmdet', ops=True)), reason='mmdet')
class TestRAResNet50InMmdet(TestRAResNet50):
    scope = 'mmdet'

    def build(self, **options):  # mmdet freezes batch norm by default
        return super().build(**{'norm_eval': False, **options})


class TestRAResNetBatchNormGate(BackboneChecks):
    plain, backbone, own, exact = SMALL, dict(variant(SMALL, 'RA'), normalization='bn'), 'addition.', True
    spread = 0.003  # running statistics are still 0 and 1, so BN does not scale the large norms


class TestSEResNet(BackboneChecks):
    plain, backbone, own = DEEP, dict(variant(DEEP, 'SE'), zero_init_residual=False, reduction=2), 'addition.'


class TestCBAMResNet(BackboneChecks):
    plain, backbone, own = WIDE, dict(variant(WIDE, 'CBAM'), zero_init_residual=False, reduction=2), 'addition.'


class TestRAMobileNetV2(BackboneChecks):
    plain, backbone, own, exact = MOBILE, variant(MOBILE, 'RA'), 'gamma', True


class TestRAMobileNetV2InMmpretrain(TestRAMobileNetV2):
    plain, backbone = WHOLE_MOBILE, variant(WHOLE_MOBILE, 'RA')
    scope = 'mmpretrain'


@pytest.mark.skipif(bool(host_problem('mmdet', ops=True)), reason='mmdet')
class TestRAMobileNetV2InMmdet(TestRAMobileNetV2InMmpretrain):
    scope = 'mmdet'


class TestSEMobileNetV2(BackboneChecks):
    plain, backbone, own = MOBILE, dict(variant(MOBILE, 'SE'), reduction=2), 'addition.'


class TestCBAMMobileNetV2(BackboneChecks):
    plain, backbone, own = MOBILE, dict(variant(MOBILE, 'CBAM'), reduction=2), 'addition.'


def same_as_plain(options, scope, images=(64, 64)):
    """Returns the outputs of a network and of its RA variant with the same weights."""
    with DefaultScope.overwrite_default_scope(scope):
        plain, ours = MODELS.build(dict(options)), MODELS.build(dict(variant(options, 'RA')))
    for name, parameter in plain.named_parameters():
        if 'context_block' in name:  # it starts at 0 and would do nothing
            torch.nn.init.normal_(parameter)
    loaded = ours.load_state_dict(plain.state_dict(), strict=False)
    assert not loaded.unexpected_keys and all(key.endswith('gate.gamma') for key in loaded.missing_keys)
    plain.eval(), ours.eval()
    x = torch.randn(1, 3, *images)
    with torch.no_grad():
        return plain(x), ours(x)


@pytest.mark.parametrize('scope', HOSTS)
@pytest.mark.parametrize(
    'options',
    [
        dict(depth=34),
        dict(depth=101),
        dict(depth=152),
        dict(out_indices=(1, 3)),
        dict(style='caffe', depth=50),
        dict(strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4)),
        dict(deep_stem=True),
        dict(deep_stem=True, avg_down=True),
        dict(num_stages=2, strides=(1, 2), dilations=(1, 1), out_indices=(1,)),
        dict(norm_cfg=dict(type='GN', num_groups=2)),
        dict(in_channels=3),
    ],
    ids=str,
)
def test_every_option_of_the_hosts(scope, options):
    expected, ours = same_as_plain({**SMALL, **options}, scope)
    assert len(expected) == len(ours) > 0
    assert all(map(torch.equal, expected, ours))


@pytest.mark.parametrize(
    ('scope', 'options'),
    [
        ('mmseg', dict(contract_dilation=True, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))),
        ('mmseg', dict(multi_grid=(1, 2, 4), depth=50, dilations=(1, 1, 2, 4), strides=(1, 2, 1, 1))),
        ('mmseg', dict(depth=50, plugins=[dict(cfg=dict(type='ContextBlock', ratio=0.25), position='after_conv3')])),
        ('mmpretrain', dict(drop_path_rate=0.3)),
        ('mmpretrain', dict(depth=50, base_channels=8, expansion=2)),
    ],
    ids=str,
)
def test_options_of_one_host(scope, options):
    expected, ours = same_as_plain({**SMALL, **options}, scope)
    assert all(map(torch.equal, expected, ours))


def test_stochastic_depth_drops_the_same_residuals():
    outputs = []
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        plain = MODELS.build(dict(SMALL, drop_path_rate=0.9))
        ours = MODELS.build(dict(variant(SMALL, 'RA'), drop_path_rate=0.9))
    ours.load_state_dict(plain.state_dict(), strict=False)
    for network in (plain, ours):
        torch.manual_seed(1)
        outputs.append(network(torch.ones(4, 3, 64, 64).cumsum(2)))
    assert all(map(torch.equal, *outputs))


@pytest.mark.parametrize('network', [SMALL, MOBILE])
def test_checkpointing_is_done_block_by_block(network, monkeypatch):
    recomputed = []

    def count(function, x, **options):
        recomputed.append(options)
        return function(x)

    monkeypatch.setattr('mmrev.models.surgery.residual_blocks.checkpoint', count)
    model = MODELS.build(dict(variant(network, 'RA'), with_cp=True))
    model(torch.randn(2, 3, 64, 64, requires_grad=True))
    assert len(recomputed) == sum(isinstance(module, ModifiedGRN) for module in model.modules())


@pytest.mark.parametrize('width', [0.35, 0.5, 0.75, 1.0, 1.4])
@pytest.mark.parametrize('scope', HOSTS)
def test_mobilenets_of_any_width(scope, width):
    expected, ours = same_as_plain(dict(MOBILE, widen_factor=width), scope)
    assert all(map(torch.equal, expected, ours))


def test_defaults_are_those_of_the_host():
    for scope, outputs in (('mmseg', 4), ('mmpretrain', 1)):
        with DefaultScope.overwrite_default_scope(scope):
            assert len(RAResNet(18, base_channels=4, stem_channels=4)(torch.randn(2, 3, 64, 64))) == outputs


def test_without_a_host_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(
        'mmrev.models.backbones.host_network.host_problem',
        lambda host, ops=False: f'{host} is not installed: pip install {host}',
    )
    with pytest.raises(HostError, match='ResNet needs an OpenMMLab package: mmseg is not installed: pip install'):
        RAResNet(depth=18)


def test_a_subclass_is_one_too():
    class Mine(RAResNet):
        pass

    assert isinstance(Mine(depth=18), Mine) and isinstance(Mine(depth=18), RAResNet)


@pytest.mark.parametrize(('name', 'count'), [('ResNet', 16), ('MobileNetV2', 10)])
@pytest.mark.parametrize(('prefix', 'layer'), [('RA', ModifiedGRN), ('SE', SqueezeExcitation), ('CBAM', CBAM)])
def test_every_block_has_its_attention_and_mobilenets_those_with_a_shortcut(name, count, prefix, layer):
    network = MODELS.build(dict(type=f'mmrev.{prefix}{name}', **(dict(depth=50) if name == 'ResNet' else {})))
    assert sum(isinstance(module, layer) for module in network.modules()) == count


def test_the_options_of_the_gate_and_of_the_baselines():
    network = RAResNet(18, aggregation='l1', normalization='ln', activation='sigmoid', eps=0.5)
    gates = [module for module in network.modules() if isinstance(module, ModifiedGRN)]
    assert {(gate.aggregation, gate.activation, gate.normalize.eps) for gate in gates} == {('l1', 'sigmoid', 0.5)}
    assert SEResNet(18, reduction=4).layer1[0].addition.gate[0].out_channels == 16
    with pytest.raises(ConfigError, match=r"\(aggregation='sum'\): expected 'l2', 'l1'"):
        RAMobileNetV2(aggregation='sum')


@pytest.mark.parametrize('scope', HOSTS)
def test_torchvisions_resnet_50_loads_strictly_on_top_of_gamma(scope):
    theirs = torchvision.models.resnet50()
    with DefaultScope.overwrite_default_scope(scope):
        ours = RAResNet(depth=50, out_indices=(3,))
    state = {key: value for key, value in theirs.state_dict().items() if not key.startswith('fc.')}
    state |= {key: value for key, value in ours.state_dict().items() if key.endswith('.gamma')}
    ours.load_state_dict(state, strict=True)
    theirs.fc = theirs.avgpool = torch.nn.Identity()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours.eval()(x)[0].flatten(1), theirs.eval()(x))


@pytest.mark.parametrize('scope', HOSTS)
def test_torchvisions_mobilenet_loads_strictly_on_top_of_gamma(scope):
    theirs = torchvision.models.mobilenet_v2()
    with DefaultScope.overwrite_default_scope(scope):
        ours = RAMobileNetV2()
    state = {key: value for key, value in theirs.state_dict().items() if key.startswith('features.')}
    state |= {key: value for key, value in ours.state_dict().items() if key.endswith('.gamma')}
    if scope == 'mmseg':  # mmseg's network ends before the last convolution
        state = {key: value for key, value in state.items() if not key.startswith('features.18.')}
    ours.load_state_dict(state, strict=True)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = theirs.eval().features[: 18 if scope == 'mmseg' else None](x)
        torch.testing.assert_close(ours.eval()(x)[-1], expected)


def awake_gates(network):
    for name, parameter in network.named_parameters():
        if name.endswith('gamma'):
            torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()


@torch.no_grad()
@pytest.mark.parametrize('scope', HOSTS)
@pytest.mark.parametrize('depth', [18, 50])
def test_torchvisions_resnet_with_gates_is_ours(scope, depth):
    theirs = awake_gates(add_reverse_attention(getattr(torchvision.models, f'resnet{depth}')()))
    theirs.fc = theirs.avgpool = torch.nn.Identity()
    with DefaultScope.overwrite_default_scope(scope):
        ours = RAResNet(depth, out_indices=(3,)).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(ours(x)[0].flatten(1), theirs(x))
    theirs.load_state_dict(awake_gates(ours).state_dict(), strict=True)
    assert torch.equal(ours(x)[0].flatten(1), theirs(x))


@torch.no_grad()
@pytest.mark.parametrize('scope', [host for host in HOSTS if host.values != ('mmseg',)])
def test_torchvisions_mobilenet_with_gates_is_ours(scope):
    theirs = awake_gates(add_reverse_attention(torchvision.models.mobilenet_v2()))
    with DefaultScope.overwrite_default_scope(scope):
        ours = RAMobileNetV2().eval()
    state = {key: value for key, value in theirs.state_dict().items() if key.startswith('features.')}
    ours.load_state_dict(state, strict=True)
    x = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(ours(x)[-1], theirs.features(x))


@pytest.mark.skipif(bool(host_problem('mmdet', ops=True)), reason='mmdet')
def test_a_classifiers_mobilenet_starts_a_detector():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        classifier = RAMobileNetV2(widen_factor=0.25)
    with DefaultScope.overwrite_default_scope('mmdet'):
        detector = RAMobileNetV2(widen_factor=0.25)
    detector.load_state_dict(classifier.state_dict(), strict=True)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(detector.eval()(x)[-1], classifier.eval()(x)[-1])
