"""Reverse attention in networks that the paper did not try."""

import dataclasses

import numpy as np
import pytest
import torch
from checks.backbone_checks import BackboneChecks
from mmengine.registry import MODELS, DefaultScope
from mmseg.models.backbones.resnet import BasicBlock
from reference import ra_net
from torch import nn

from mmrev.errors import ConfigError
from mmrev.hosts import HOSTS, host_problem
from mmrev.models import RAResNet, add_reverse_attention
from mmrev.models.layers import ModifiedGRN, ReverseAttentionAddition
from mmrev.models.surgery.gated_branches import GatedBranch

CONVNEXT = dict(
    type='ConvNeXt',
    arch=dict(depths=[1, 1, 2, 1], channels=[8, 12, 16, 24]),
    out_indices=(1, 3),
    gap_before_final_norm=False,
)
VIT = dict(
    type='VisionTransformer',
    img_size=(64, 48),
    patch_size=16,
    out_type='featmap',
    arch=dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32),
)
SWIN = dict(
    type='SwinTransformer',
    img_size=64,
    window_size=2,
    out_indices=(0, 3),
    arch=dict(embed_dims=8, depths=[2, 2, 2, 2], num_heads=[1, 2, 2, 2]),
)


class Added(BackboneChecks):
    own, exact, scope = 'gamma', True, 'mmpretrain'

    def build(self, **options):
        torch.manual_seed(0)
        network = MODELS.build(dict(type='mmrev.add_reverse_attention', network=dict(self.plain, **options)))
        network.init_weights()
        return network

    # these networks have no such options
    test_frozen_stages_are_frozen_whole = test_norm_eval_reaches_every_batch_norm = None


class TestConvNeXt(Added):
    plain = CONVNEXT


class TestConvNeXtV2(Added):
    plain = dict(CONVNEXT, use_grn=True, layer_scale_init_value=0.0, linear_pw_conv=False)


class TestVisionTransformer(Added):
    plain = VIT
    test_odd_sizes_and_a_batch_of_one = test_checkpointing_changes_nothing = (
        None  # it has one size and no checkpointing
    )


class TestSwin(Added):
    plain = SWIN


class TestResNetOfMmsegGivenBuilt(Added):
    plain = dict(type='ResNet', depth=50, base_channels=4, stem_channels=4, zero_init_residual=False)
    scope = 'mmseg'


@pytest.mark.parametrize(
    ('scope', 'config', 'gates'),
    [
        ('mmpretrain', CONVNEXT, 5),
        ('mmpretrain', VIT, 4),
        ('mmpretrain', SWIN, 16),
        ('mmseg', dict(type='SwinTransformer'), 24),
        ('mmseg', dict(type='VisionTransformer', img_size=(64, 48), embed_dims=16, num_layers=3, num_heads=2), 6),
        ('mmpretrain', dict(type='ResNeXt', depth=50), 16),
        ('mmpretrain', dict(type='MobileNetV2'), 10),
        ('mmpretrain', dict(type='HRNet', arch='w18'), 4 + 4 * 2 * 1 + 4 * 4 * 3 + 3 * 4 * 4),
    ],
)
def test_how_many_branches(scope, config, gates):
    with DefaultScope.overwrite_default_scope(scope):
        network = add_reverse_attention(MODELS.build(dict(config)))
    assert sum(isinstance(module, ModifiedGRN) for module in network.modules()) == gates


def test_equation_2_in_convnext():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        network = MODELS.build(dict(CONVNEXT, layer_scale_init_value=1.0)).double()
    network.eval()
    block, x = network.stages[2][1], torch.randn(2, 16, 5, 3, dtype=torch.float64)
    with torch.no_grad():
        residual = block(x) - x
        (gate,) = add_reverse_attention(network, aggregation='l1').stages[2][1].reverse_attention
        nn.init.normal_(gate.double().gate.gamma)
        gates = ra_net.gate(residual.numpy(), gate.gate.gamma.numpy(), aggregation='l1')
        expected = ra_net.residual_sum(residual.numpy(), x.numpy(), gates)
        np.testing.assert_allclose(block(x).numpy(), expected, rtol=1e-9, atol=1e-12)


def test_equation_2_in_a_transformer_of_tokens():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        network = MODELS.build(dict(VIT))
    network.init_weights()
    network.eval()
    layer, x = network.layers[1].double(), torch.randn(2, 13, 16, dtype=torch.float64)
    with torch.no_grad():
        attention = layer.attn(layer.ln1(x))
        forward = layer.ffn.layers  # the layers before the addition
        attn, ffn = add_reverse_attention(network).layers[1].reverse_attention.double()
        nn.init.normal_(attn.gate.gamma), nn.init.normal_(ffn.gate.gamma)

        def joined(residual, shortcut, gamma):
            gates = ra_net.gate(residual.numpy().swapaxes(1, 2)[..., None], gamma.numpy())
            return torch.from_numpy(residual.numpy() + gates[:, None] * shortcut.numpy())

        middle = joined(attention, x, attn.gate.gamma)
        expected = joined(forward(layer.ln2(middle)), middle, ffn.gate.gamma)
        torch.testing.assert_close(layer(x), expected)


class Block(nn.Module):
    """A block that no host has."""

    def __init__(self):
        super().__init__()
        self.norm, self.mlp = nn.LayerNorm(6), nn.Linear(6, 6)

    def forward(self, x):
        return x + self.mlp(self.norm(x))


def test_blocks_of_ones_own_are_named():
    x, network = torch.randn(2, 7, 6), nn.Sequential(Block(), Block())
    before = network(x)
    assert torch.equal(add_reverse_attention(network, branches={'Block': [('norm', 'mlp')]})(x), before)
    assert [type(module.reverse_attention[0]) for module in network] == [GatedBranch, GatedBranch]


def test_gradients_are_those_of_equation_2():
    block = add_reverse_attention(Block(), branches={'Block': [('norm', 'mlp')]}).double()
    gate = block.reverse_attention[0].gate
    nn.init.normal_(gate.gamma)
    x, direction = torch.randn(2, 7, 6, dtype=torch.float64), torch.randn(2, 7, 6, dtype=torch.float64)

    def formula(x):
        residual = nn.functional.linear(nn.functional.layer_norm(x, (6,)), block.mlp.weight, block.mlp.bias)
        return residual + gate(residual.transpose(1, 2)[..., None])[..., 0].transpose(1, 2) * x

    found = []
    for function in (block, formula):
        block.zero_grad()
        leaf = x.clone().requires_grad_()
        function(leaf).backward(direction)
        found.append([leaf.grad, gate.gamma.grad.clone(), block.mlp.weight.grad.clone()])
    torch.testing.assert_close(*found)


def test_compiled_it_is_the_same():
    network, x = add_reverse_attention(Block(), branches={'Block': [('norm', 'mlp')]}), torch.randn(2, 7, 6)
    nn.init.normal_(network.reverse_attention[0].gate.gamma)
    torch.testing.assert_close(torch.compile(network, backend='aot_eager')(x), network(x))


def test_a_network_without_known_blocks_is_refused():
    with pytest.raises(ConfigError, match='Sequential has no block that is known, .*ResNet.*branches='):
        add_reverse_attention(nn.Sequential(nn.Conv2d(3, 3, 1)))


def test_it_is_added_once():
    with pytest.raises(ConfigError, match='RAResNet has reverse attention already'):
        add_reverse_attention(RAResNet(18))


@pytest.mark.parametrize(
    ('scope', 'config'),
    [
        ('mmpretrain', dict(type='ResNeSt', depth=50)),
        ('mmseg', dict(type='MixVisionTransformer')),
        (
            'mmpretrain',
            dict(
                type='ViTSAM',
                arch=dict(embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=8, global_attn_indexes=[]),
            ),
        ),
    ],
)
def test_blocks_of_the_same_name_and_another_make_are_not_taken_for_known(scope, config):
    with DefaultScope.overwrite_default_scope(scope), pytest.raises(ConfigError, match='no block that is known'):
        add_reverse_attention(MODELS.build(config))


@pytest.mark.parametrize(
    ('pair', 'message'),
    [
        (('norm', 'mlp2'), "Block has no part 'mlp2': it has norm, mlp"),
        (('drop', 'mlp'), "a branch of Block cannot start with 'drop', which has no weight"),
    ],
)
def test_a_part_that_does_not_do_is_named(pair, message):
    block = Block()
    if 'drop' in pair:
        block.drop = nn.Dropout()
    with pytest.raises(ConfigError, match=message):
        add_reverse_attention(block, branches={'Block': [pair]})


def test_a_branch_whose_parts_are_in_the_wrong_order():
    block = add_reverse_attention(Block(), branches={'Block': [('mlp', 'norm')]})
    with pytest.raises(ConfigError, match='the last part of a branch ran before its first part: swap the two'):
        block(torch.randn(2, 7, 6))


def test_the_table_of_hosts_is_enough_for_blocks_of_a_fourth_host(monkeypatch):
    class TwoBranches(BasicBlock):
        __module__ = 'fourth.blocks'

        def forward(self, x):
            raise NotImplementedError

    class AddsItself(Block):
        __module__ = 'fourth.blocks'

        def forward(self, x):
            return super().forward(x)

    fourth = dataclasses.replace(
        HOSTS['mmseg'], blocks={'blocks.TwoBranches': 'resnet'}, branches={'blocks.AddsItself': [('norm', 'mlp')]}
    )
    network = nn.Sequential(TwoBranches(4, 4), AddsItself())
    with pytest.raises(ConfigError, match='no block that is known'):
        add_reverse_attention(network)
    monkeypatch.setitem(HOSTS, 'fourth', fourth)
    add_reverse_attention(network)
    assert isinstance(network[0].addition, ReverseAttentionAddition)
    assert isinstance(network[1].reverse_attention[0], GatedBranch)
    assert network[0](torch.randn(2, 4, 6, 6)).shape == (2, 4, 6, 6)


def test_a_gate_near_one_is_not_rounded_to_one_in_half_precision():
    block = add_reverse_attention(Block(), branches={'Block': [('norm', 'mlp')]})
    gate, x, residual = block.reverse_attention[0], torch.randn(2, 7, 6), torch.randn(2, 7, 6).bfloat16()
    nn.init.constant_(gate.gate.gamma, 1e-3)
    block.norm(x)  # the branch starts here
    changed = gate.add(block.mlp, (), residual)
    assert changed.dtype == torch.float32
    expected = gate.gate(residual.float().transpose(1, 2)[..., None])[..., 0].transpose(1, 2) * x - x
    torch.testing.assert_close(changed - residual.float(), expected, rtol=0.01, atol=1e-5)


def test_a_frozen_block_keeps_its_gate_frozen():
    network = Block().requires_grad_(False)
    add_reverse_attention(network, branches={'Block': [('norm', 'mlp')]})
    assert not network.reverse_attention[0].gate.gamma.requires_grad


@pytest.mark.skipif(bool(host_problem('mmdet', ops=True)), reason='mmdet')
def test_mmdets_swin():
    with DefaultScope.overwrite_default_scope('mmdet'):
        network = MODELS.build(dict(type='mmrev.add_reverse_attention', network=dict(type='SwinTransformer')))
    assert sum(isinstance(module, ModifiedGRN) for module in network.modules()) == 24
