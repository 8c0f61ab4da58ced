"""Where each gate sits in the blocks of torchvision, timm and Hugging Face's transformers.

Each case restates a block: the residuals F(x) from the parts of the plain block, and the gates in NumPy.
"""

import copy

import pytest
import torch
from library_networks import build, gates, library
from reference import ra_net
from torch import nn
from torch.nn import functional as F

from mmrev.models import add_reverse_attention


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
