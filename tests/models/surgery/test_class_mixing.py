"""Networks and blocks of a mixed class can be copied, pickled and replicated like any other module."""

import copy
import pickle

import pytest
import torch
from fresh_process import run_fresh
from mmengine.model import ExponentialMovingAverage
from mmseg.models import MobileNetV2, ResNet
from mmseg.models.backbones.resnet import BasicBlock
from mmseg.models.utils import InvertedResidual
from torch import nn

from mmrev.models import RAMobileNetV2, RAResNet, add_reverse_attention
from mmrev.models.surgery.class_mixing import Mixin, mix_in


def resnet():
    return RAResNet(18, base_channels=4, stem_channels=4)


def mobilenet():
    return RAMobileNetV2(0.25)


def plain_resnet_with_attention():
    return add_reverse_attention(ResNet(18, base_channels=4, stem_channels=4, norm_cfg=dict(type='BN')))


every_network = pytest.mark.parametrize('build', [resnet, mobilenet, plain_resnet_with_attention])


def awake(build):
    network = build()
    network.eval()
    for name, parameter in network.named_parameters():
        if name.endswith('gamma'):
            nn.init.normal_(parameter)
    return network


@torch.no_grad()
def output(network):
    return network(torch.linspace(-1, 1, 3 * 64 * 64).view(1, 3, 64, 64))[-1]


def test_what_is_built_is_an_instance_of_the_hosts_classes():
    network = resnet()
    assert isinstance(network, RAResNet) and isinstance(network, ResNet)
    assert isinstance(network.layer1[0], BasicBlock)
    assert isinstance(mobilenet(), MobileNetV2) and isinstance(mobilenet().layer2[0], InvertedResidual)


def test_equal_pairs_are_one_class():
    first, second = resnet(), resnet()
    assert type(first) is type(second) and type(first.layer1[0]) is type(second.layer4[1])


def test_a_fresh_process_loads_whole_networks(tmp_path):
    networks = [awake(resnet), awake(mobilenet), awake(plain_resnet_with_attention)]
    (tmp_path / 'pickled').write_bytes(pickle.dumps(networks))
    torch.save(networks, tmp_path / 'saved')
    code = """
import pickle, torch
networks = pickle.load(open('pickled', 'rb')) + torch.load('saved', weights_only=False)
x = torch.linspace(-1, 1, 3 * 64 * 64).view(1, 3, 64, 64)
with torch.no_grad():
    torch.save([network(x)[-1] for network in networks], 'outputs')
for network in networks:
    print(*(f'{cls.__module__}.{cls.__name__}' for cls in type(network).__mro__))
"""
    printed = run_fresh(code, cwd=tmp_path).splitlines()
    expected = [' '.join(f'{cls.__module__}.{cls.__name__}' for cls in type(network).__mro__) for network in networks]
    assert printed == 2 * expected
    for found, network in zip(torch.load(tmp_path / 'outputs'), 2 * networks, strict=True):
        torch.testing.assert_close(found, output(network))


@every_network
def test_copies_are_of_the_same_class_and_independent(build):
    network = awake(build)
    before = output(network)
    averaged = ExponentialMovingAverage(network).module
    for twin in (copy.deepcopy(network), copy.deepcopy(copy.deepcopy(network)), averaged):
        assert [type(module) for module in twin.modules()] == [type(module) for module in network.modules()]
        assert torch.equal(output(twin), before)
        for parameter in twin.parameters():
            nn.init.zeros_(parameter)
    assert torch.equal(output(network), before)


@every_network
def test_a_replica_runs_its_own_weights(build):
    """nn.DataParallel copies a module's attributes one level deep and then gives the copy other weights."""
    network = awake(build)
    (addition,) = (module for name, module in network.named_modules() if name == 'layer2.1.addition')
    block = network.layer2[1]
    replica = block._replicate_for_data_parallel()
    x = torch.randn(1, addition.gate.gamma.numel(), 8, 8)
    assert type(replica) is type(block) and torch.equal(replica(x), block(x))
    replica._modules = dict(block._modules, addition=type(addition)(addition.gate.gamma.numel()))
    assert not torch.equal(replica(x), block(x))


def test_hooks_and_references_survive_the_exchange():
    network, seen = nn.Sequential(BasicBlock(4, 4)), []
    block = network[0]
    block.register_forward_hook(lambda *_: seen.append(1))
    add_reverse_attention(network)
    network(torch.randn(1, 4, 8, 8))
    assert network[0] is block and seen == [1]


class Doubled(Mixin):
    def forward(self, x):
        return 2 * super().forward(x)


def test_a_mixed_block_of_ones_own():
    layer = nn.Identity()
    mix_in(layer, Doubled, nn.Identity)
    layer.name = 'mine'
    for twin in (layer, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert twin(3) == 6 and twin.name == 'mine' and type(twin) is type(layer)
