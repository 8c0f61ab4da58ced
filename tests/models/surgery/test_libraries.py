"""Gates in networks of torchvision, timm and Hugging Face's transformers: what they change, and how they live on."""

import copy
import io
import pickle

import pytest
import torch
import torchvision.models as tv
from library_networks import NETWORKS, awake, build, every_network, gates, images, one_of_each_kind
from torch import nn

from mmrev.errors import ConfigError
from mmrev.models import add_reverse_attention


@torch.no_grad()
@every_network
def test_the_output_stays_until_gamma_is_trained(name):
    network, x = build(name), images()
    before, keys = network(x), set(network.state_dict())
    assert add_reverse_attention(network) is network
    assert len(gates(network)) == NETWORKS[name][1]
    assert torch.equal(network(x), before)
    new = set(network.state_dict()) - keys
    assert keys <= set(network.state_dict())
    assert {key.rpartition('.')[2] for key in new} == {'gamma', 'temperature'}
    for gate in gates(network):
        assert not gate.gamma.any() and gate.temperature == 1
        nn.init.normal_(gate.gamma, std=0.3)
    assert not torch.allclose(network(x), before)


@every_network
def test_every_gate_learns(name):
    network = awake(name).train()
    network(images(4)).square().mean().backward()
    assert all(gate.gamma.grad is not None and gate.gamma.grad.any() for gate in gates(network))


def replicated(network):
    """A copy as nn.DataParallel makes it: the same hooks and attributes, modules and weights of its own."""
    originals = list(network.modules())
    copies = {module: module._replicate_for_data_parallel() for module in originals}
    for module in originals:
        for key, child in module._modules.items():
            if child is not None:
                setattr(copies[module], key, copies[child])
        for key, parameter in module._parameters.items():
            setattr(copies[module], key, None if parameter is None else parameter.detach().clone())
        for key, buffer in module._buffers.items():
            setattr(copies[module], key, None if buffer is None else buffer.clone())
    return copies[network]


@torch.no_grad()
@every_network
def test_a_replica_runs_its_own_gates(name):
    network, x = awake(name), images()
    expected, replica = network(x), replicated(network)
    assert torch.equal(replica(x), expected)
    for gate in gates(network):
        nn.init.zeros_(gate.gamma)
    changed = network(x)
    assert not torch.equal(changed, expected) and torch.equal(replica(x), expected)
    assert torch.equal(network(x), changed)  # the original has kept its hooks
    assert all(getattr(module, 'shortcut', None) is None for module in network.modules() if hasattr(module, 'branch'))


@torch.no_grad()
@one_of_each_kind
def test_copies_files_and_pickles(name):
    network, x = awake(name), images()
    expected = network(x)
    twin = copy.deepcopy(network)
    assert torch.equal(twin(x), expected)
    for gate in gates(twin):
        nn.init.zeros_(gate.gamma)
    assert torch.equal(network(x), expected) and not torch.equal(twin(x), expected)
    assert torch.equal(pickle.loads(pickle.dumps(network))(x), expected)
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    file.seek(0)
    twin.load_state_dict(torch.load(file, weights_only=True), strict=True)
    assert torch.equal(twin(x), expected)


@torch.no_grad()
@one_of_each_kind
def test_compiled_and_in_half_precision(name):
    network, x = awake(name), images()
    expected = network(x)
    torch.testing.assert_close(torch.compile(network, backend='eager')(x), expected, rtol=1e-3, atol=1e-5)
    half = copy.deepcopy(network).bfloat16()(x.bfloat16())
    assert half.dtype == torch.bfloat16 and half.isfinite().all()
    with torch.autocast('cpu', torch.bfloat16):
        assert network(x).isfinite().all()
    # the gates alone: bfloat16 has 8 bits, and the plain network is as far off
    assert (half.float() - expected).norm() < 0.2 * expected.norm()


@one_of_each_kind
def test_a_gate_is_put_once(name):
    network = awake(name)
    with pytest.raises(ConfigError, match='has reverse attention already: add it once'):
        add_reverse_attention(network)


def test_stochastic_depth_drops_the_residual_and_not_the_gated_shortcut():
    """Swin of torchvision calls one drop for both of its branches."""
    network = add_reverse_attention(tv.SwinTransformer([4, 4], 8, [2], [1], [4, 4], stochastic_depth_prob=0.9))
    block = network.features[1][1].train()
    block.stochastic_depth.p = 1.0
    x = torch.randn(2, 8, 8, 8)
    for gate in gates(block):
        nn.init.constant_(gate.gamma, 2.0)
    assert torch.equal(block(x), x)  # F is 0, and the gate of features that are 0 is 1


@pytest.mark.parametrize('network', [tv.mobilenet_v3_small, tv.vgg11, nn.Identity])
def test_an_unknown_network_is_one_line(network):
    with pytest.raises(ConfigError) as caught:
        add_reverse_attention(network())
    text = str(caught.value)
    assert 'ResNet, MobileNetV2, ConvNeXt, ViT and Swin in torchvision, timm, transformers' in text and '\n' not in text


def test_options_reach_every_gate():
    network = add_reverse_attention(tv.resnet18(), aggregation='l1', activation='sigmoid')
    assert {(gate.aggregation, gate.activation) for gate in gates(network)} == {('l1', 'sigmoid')}
    with pytest.raises(ConfigError, match=r"\(aggregation='sum'\): expected 'l2'"):
        add_reverse_attention(tv.resnet18(), aggregation='sum')


@pytest.mark.parametrize('build', [tv.resnet18, tv.vit_b_32])
def test_gates_come_on_the_device_of_their_block(build):
    with torch.device('meta'):
        network = build()
    add_reverse_attention(network)
    assert gates(network) and all(gate.gamma.is_meta for gate in gates(network))
