"""Gates in the networks of torchvision, timm and Hugging Face's transformers: where each sits, and how it lives on.

Each case restates a block: the residuals F(x) from the parts of the plain block, and the gates in NumPy.
"""

import copy
import io
import pickle
from importlib.util import find_spec

import pytest
import torch
import torchvision.models as tv
from reference import ra_net
from torch import nn
from torch.nn import functional as F

from mmrev.errors import ConfigError
from mmrev.models import add_reverse_attention
from mmrev.models.layers import ModifiedGRN

SIZE = 32


def timm(name, **options):
    return __import__('timm').create_model(name, **options)


def hugging_face(kind, **options):
    hf = __import__('transformers')
    config = getattr(hf, f'{kind}Config')(image_size=SIZE, num_labels=3, **options)
    return Logits(getattr(hf, f'{kind}ForImageClassification')(config))


class Logits(nn.Module):
    """A classifier that returns a tensor."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(x).logits


SMALL = dict(hidden_sizes=[8, 16], depths=[1, 2])
TOKENS = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, patch_size=8)
WINDOWS = dict(embed_dim=8, depths=[2, 2], num_heads=[1, 2], window_size=4)
# the network, and the number of its gates
NETWORKS = {
    'torchvision resnet18': (tv.resnet18, 8),
    'torchvision resnet50': (tv.resnet50, 16),
    'torchvision resnext50': (tv.resnext50_32x4d, 16),
    'torchvision wide resnet50': (tv.wide_resnet50_2, 16),
    'torchvision mobilenet': (tv.mobilenet_v2, 10),
    'torchvision convnext': (tv.convnext_tiny, 18),
    'torchvision vit': (lambda: tv.VisionTransformer(SIZE, 8, 2, 2, 16, 32), 4),
    'torchvision swin': (lambda: tv.SwinTransformer([4, 4], 8, [2, 2], [1, 2], [4, 4]), 8),
    'torchvision swin v2': (
        lambda: tv.SwinTransformer(
            [4, 4],
            8,
            [2, 2],
            [1, 2],
            [4, 4],
            block=tv.swin_transformer.SwinTransformerBlockV2,
            downsample_layer=tv.swin_transformer.PatchMergingV2,
        ),
        8,
    ),
    'timm resnet18': (lambda: timm('resnet18', zero_init_last=False), 8),
    'timm resnet50': (lambda: timm('seresnet50', zero_init_last=False, drop_path_rate=0.1), 16),
    'timm mobilenet': (lambda: timm('mobilenetv2_050'), 10),
    'timm convnext': (lambda: timm('convnext_atto'), 12),
    'timm vit': (lambda: timm('vit_tiny_patch16_224', img_size=SIZE, depth=2), 4),
    'timm swin': (lambda: timm('swin_tiny_patch4_window7_224', img_size=SIZE, window_size=4, depths=(2, 2)), 8),
    'timm swin v2': (lambda: timm('swinv2_tiny_window8_256', img_size=SIZE, window_size=4, depths=(2, 2)), 8),
    'transformers resnet': (lambda: hugging_face('ResNet', embedding_size=8, **SMALL), 3),
    'transformers resnet basic': (lambda: hugging_face('ResNet', embedding_size=8, layer_type='basic', **SMALL), 3),
    'transformers convnext': (lambda: hugging_face('ConvNext', num_stages=2, **SMALL), 3),
    'transformers vit': (lambda: hugging_face('ViT', **TOKENS), 4),
    'transformers swin': (lambda: hugging_face('Swin', **WINDOWS), 8),
}


def library(name):
    needed = name.partition(' ')[0]
    absent = pytest.mark.skipif(not find_spec(needed), reason=f'{needed} is not installed: make test-plain installs it')
    return pytest.param(name, marks=absent, id=name.replace(' ', '-'))


every_network = pytest.mark.parametrize('name', list(map(library, NETWORKS)))
one_of_each_kind = pytest.mark.parametrize(
    'name',
    [
        library(name)
        for name in (
            'torchvision resnet18',
            'torchvision mobilenet',
            'torchvision swin',
            'torchvision vit',
            'timm resnet18',
            'timm swin v2',
            'transformers resnet',
            'transformers vit',
        )
    ],
)


def gates(network):
    return [module for module in network.modules() if isinstance(module, ModifiedGRN)]


def build(name):
    network = NETWORKS[name][0]().eval()
    for parameter in network.parameters():
        if not parameter.any():  # some start at 0, and would hide what comes before them
            nn.init.normal_(parameter, std=0.1)
        elif parameter.dim() == 1 and parameter.abs().max() < 1e-3:  # a layer scale
            nn.init.normal_(parameter, std=0.5)
    return network


def awake(name):
    network = add_reverse_attention(build(name))
    for gate in gates(network):
        nn.init.normal_(gate.gamma, std=0.3)
    return network


def images(batch=2):
    return torch.randn(batch, 3, SIZE, SIZE)


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


def plus_gate(residual, shortcut, gamma, channels_last):
    """Equation 2 of one branch, in NumPy. The gate sees each channel over all positions."""
    if channels_last:
        flat = residual.reshape(len(residual), -1, residual.shape[-1]).swapaxes(1, 2)[..., None]
        values = ra_net.gate(flat, gamma).reshape(len(residual), *[1] * (residual.ndim - 2), -1)
        return residual + values * shortcut
    return ra_net.residual_sum(residual, shortcut, ra_net.gate(residual, gamma))


def sequence(*names):
    def run(block, x):
        for name in names:
            x = block.get_submodule(name)(x)
        return x

    return run


def attention_of_torchvision(block, x):
    x = block.ln_1(x)
    return block.self_attention(x, x, x, need_weights=False)[0]


def attention_of_transformers(block, x):
    return block.attention(block.layernorm_before(x))[0]


def mlp_of_transformers(block, x):
    x = block.layernorm_after(x)
    return block.mlp(x) if hasattr(block, 'mlp') else block.output.dense(block.intermediate(x))


def downsampled(block, x):
    return x if block.downsample is None else block.downsample(x)


BASIC = ('conv1', 'bn1', 'relu', 'conv2', 'bn2')
# a block of a network: its path, its input, its residuals in turn, its shortcut (or None), its end, channels last
SITES = {
    'torchvision resnet18': ('layer2.0', (64, 8, 8), [sequence(*BASIC)], downsampled, F.relu, False),
    'torchvision resnet50': (
        'layer1.1',
        (256, 8, 8),
        [sequence('conv1', 'bn1', 'relu', 'conv2', 'bn2', 'relu', 'conv3', 'bn3')],
        downsampled,
        F.relu,
        False,
    ),
    'torchvision mobilenet': ('features.3', (24, 8, 8), [sequence('conv')], None, None, False),
    'torchvision convnext': (
        'features.1.1',
        (96, 8, 8),
        [lambda block, x: block.layer_scale * block.block(x)],
        None,
        None,
        False,
    ),
    'torchvision vit': (
        'encoder.layers.encoder_layer_1',
        (17, 16),
        [attention_of_torchvision, sequence('ln_2', 'mlp')],
        None,
        None,
        True,
    ),
    'torchvision swin': (
        'features.1.1',
        (8, 8, 8),
        [sequence('norm1', 'attn'), sequence('norm2', 'mlp')],
        None,
        None,
        True,
    ),
    'torchvision swin v2': (
        'features.1.1',
        (8, 8, 8),
        [sequence('attn', 'norm1'), sequence('mlp', 'norm2')],
        None,
        None,
        True,
    ),
    'timm resnet18': (
        'layer2.0',
        (64, 8, 8),
        [sequence('conv1', 'bn1', 'act1', 'conv2', 'bn2')],
        downsampled,
        F.relu,
        False,
    ),
    'timm resnet50': (
        'layer1.1',
        (256, 8, 8),
        [sequence('conv1', 'bn1', 'act1', 'conv2', 'bn2', 'act2', 'conv3', 'bn3', 'se')],
        downsampled,
        F.relu,
        False,
    ),
    'timm mobilenet': (
        'blocks.1.1',
        (16, 8, 8),
        [sequence('conv_pw', 'bn1', 'conv_dw', 'bn2', 'conv_pwl', 'bn3')],
        None,
        None,
        False,
    ),
    'timm convnext': ('stages.1.blocks.1', (80, 4, 4), [lambda block, x: block(x) - x], None, None, False),
    'timm vit': ('blocks.1', (5, 192), [sequence('norm1', 'attn'), sequence('norm2', 'mlp')], None, None, True),
    'timm swin': (
        'layers.0.blocks.1',
        (8, 8, 96),
        [lambda block, x: block._attn(block.norm1(x)), sequence('norm2', 'mlp')],
        None,
        None,
        True,
    ),
    'timm swin v2': (
        'layers.0.blocks.1',
        (8, 8, 96),
        [lambda block, x: block.norm1(block._attn(x)), sequence('mlp', 'norm2')],
        None,
        None,
        True,
    ),
    'transformers resnet': (
        'model.resnet.encoder.stages.1.layers.0',
        (8, 8, 8),
        [sequence('layer')],
        lambda block, x: block.shortcut(x),
        F.relu,
        False,
    ),
    'transformers convnext': (
        'model.convnext.encoder.stages.1.layers.1',
        (16, 4, 4),
        [lambda block, x: block(x) - x],
        None,
        None,
        False,
    ),
    'transformers vit': (None, (17, 16), [attention_of_transformers, mlp_of_transformers], None, None, True),
}


def block_of(network, path):
    if path:
        return network.get_submodule(path)
    return [module for module in network.modules() if type(module).__name__ == 'ViTLayer'][1]


@torch.no_grad()
@pytest.mark.parametrize('name', list(map(library, SITES)))
def test_where_each_gate_sits(name):
    path, shape, residuals, shortcut_of, end, channels_last = SITES[name]
    network = build(name).double()
    plain = copy.deepcopy(block_of(network, path))
    gated = block_of(add_reverse_attention(network).double(), path)
    own = gates(gated)
    assert len(own) == len(residuals)
    x = torch.randn(2, *shape, dtype=torch.float64)
    expected = x
    for residual_of, gate in zip(residuals, own, strict=True):
        nn.init.normal_(gate.gamma, std=0.5)
        residual = residual_of(plain, expected).numpy()
        shortcut = expected if shortcut_of is None else shortcut_of(plain, expected)
        summed = plus_gate(residual, shortcut.numpy(), gate.gamma.numpy(), channels_last)
        expected = torch.from_numpy(summed)
    found = gated(x)
    found = found[0] if isinstance(found, tuple) else found
    torch.testing.assert_close(found, end(expected) if end else expected, rtol=1e-6, atol=1e-9)
    assert not torch.allclose(found, plain(x)[0] if isinstance(plain(x), tuple) else plain(x))


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
