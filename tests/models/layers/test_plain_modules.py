"""The modules in plain torch: the papers' equations, and the weights and losses of the heads in mmseg."""

import copy
import pickle

import numpy as np
import pytest
import torch
from checks.model_checks import make_samples
from mmengine.structures import PixelData
from reference import ran, scale_attention
from torch import nn

from mmrev.datasets.transforms import boundary_labels as labels_in_a_pipeline
from mmrev.errors import ConfigError
from mmrev.models import RegionAttentionHead, ReverseAttentionHead, ScaleAttentionHead
from mmrev.models.layers import (
    RegionAttention,
    ReverseAttention,
    ScaleAttention,
    boundary_labels,
    region_attention_losses,
    reverse_attention_losses,
)

MODES = ('simple', 'normalized', 'dual')
IN_REGIONS = {
    'paper': (dict(num_representatives=2), {}),
    'batch norm': (dict(norm=nn.BatchNorm2d, align_corners=True), dict(norm_cfg=dict(type='BN'), align_corners=True)),
    'group norm': (
        dict(norm=lambda channels: nn.GroupNorm(2, channels), use_boundary=False),
        dict(norm_cfg=dict(type='GN', num_groups=2), use_boundary=False),
    ),
    "authors' layout": (dict(layout='authors', similarity='binary_jsd', temperature=1), {}),
    'no intra': (dict(intra=False, scope='image', end_points=True), {}),
}
OVER_SCALES = {
    'paper': ({}, {}),
    'batch norm': (dict(norm=nn.BatchNorm2d, align_corners=True), dict(norm_cfg=dict(type='BN'), align_corners=True)),
    'a bias': (dict(recalibration='add', activation=nn.GELU), dict(act_cfg=dict(type='GELU'))),
    'attention to scale': (dict(multi_stage=False, conv_per_scale=False, recalibration=None), {}),
    'no location': (dict(location_attention=False, diverse_dilations=False), {}),
}


def of_the_head(ours, theirs):
    """The head's options: ours, without what a config says in another way."""
    return {key: value for key, value in ours.items() if key not in ('norm', 'activation')} | theirs


def exchange(plain, head, run_plain, run_head):
    """Loads the weights of each into the other, strictly. Their outputs are equal bit by bit."""
    for source, target in ((plain, head), (head, plain)):
        for parameter in source.parameters():
            nn.init.normal_(parameter, std=0.3)
        with torch.no_grad():
            assert not torch.equal(run_plain(plain), run_head(head))
            target.load_state_dict(source.state_dict(), strict=True)
            assert torch.equal(run_plain(plain), run_head(head))
    assert plain.state_dict().keys() == head.state_dict().keys()


@pytest.mark.parametrize('mode', MODES)
def test_reverse_attention_is_figure_3(mode):
    module = ReverseAttention(3, 4, mode, dilation=2).double()
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    features = torch.randn(2, 3, 9, 11, dtype=torch.float64)
    found = module.branches(features)
    assert torch.equal(module(features), found.combined)
    for index in range(2):
        original, reverse = (
            ran.conv3x3(features[index].numpy(), conv.weight.detach().numpy(), conv.bias.detach().numpy(), 2)
            for conv in (module.conv_org, module.conv_rev)
        )
        expected = ran.combine(original, reverse, mode), original, -reverse
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours[index].detach().numpy(), theirs, atol=1e-9)


def test_a_subclass_can_have_another_reverse_attention():
    class Twice(ReverseAttention):
        def attention(self, original):
            return torch.full_like(original, 2)

    module, features = Twice(3, 4, dilation=1), torch.randn(1, 3, 6, 5)
    torch.testing.assert_close(module(features), module.conv_org(features) - 2 * module.conv_rev(features))


def test_the_losses_of_reverse_attention_are_those_of_the_paper():
    module, features = ReverseAttention(3, 4).double(), torch.randn(2, 3, 6, 5, dtype=torch.float64)
    labels = torch.randint(4, (2, 6, 5))
    labels[0, :2] = 255
    branches = module.branches(features)
    losses = reverse_attention_losses(branches, labels)
    for name, scores in zip(('combined', 'original', 'reverse'), branches, strict=True):
        expected = [ran.cross_entropy(s.detach().numpy(), y.numpy()) for s, y in zip(scores, labels, strict=True)]
        assert losses[name].item() == pytest.approx(np.mean(expected))
    sum(losses.values()).backward()
    assert all(parameter.grad.any() for parameter in module.parameters())
    assert sum(reverse_attention_losses(branches, torch.full_like(labels, 255)).values()) == 0


@pytest.mark.parametrize('mode', MODES)
def test_reverse_attention_and_its_head_exchange_weights(mode):
    plain = ReverseAttention(8, 5, mode, dilation=3)
    head = ReverseAttentionHead(8, num_classes=5, mode=mode, dilation=3, in_index=0)
    features, labels = torch.randn(2, 8, 9, 7), torch.randint(5, (2, 36, 28))
    exchange(plain, head, lambda module: module(features), lambda module: module([features]))
    theirs = head.loss([features], make_samples(labels), {})
    for name, loss in reverse_attention_losses(plain.branches(features), labels).items():
        torch.testing.assert_close(loss, theirs[f'{name}.loss_ce'])


@pytest.mark.parametrize(('ours', 'theirs'), OVER_SCALES.values(), ids=OVER_SCALES)
def test_scale_attention_and_its_head_exchange_weights(ours, theirs):
    widths = dict(in_channels=[4, 8], num_classes=5, dilations=(2, 1), channels=6, scale_channels=3)
    plain, head = ScaleAttention(**widths, **ours), ScaleAttentionHead(**widths, **of_the_head(ours, theirs))
    plain.eval(), head.eval()
    features = [[torch.randn(2, 4, s, s), torch.randn(2, 8, s // 2, s // 2)] for s in (12, 6)]
    scores = [torch.randn(2, 5, s, s) for s in (12, 6)]

    def fused(module):
        return module.fuse(scores, module.attend([module.scale_features(f, i) for i, f in enumerate(features)]))

    exchange(plain, head, lambda module: module(features, scores), fused)


@torch.no_grad()
def test_scale_attention_is_figure_1():
    module = ScaleAttention([2, 3], 4, dilations=(2, 1), channels=5, scale_channels=3).double()
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    features = [[torch.randn(1, c, s, s).double() for c in (2, 3)] for s in (8, 4)]
    scores = [torch.randn(1, 4, 8, 8).double() for _ in range(2)]

    def weights(conv):
        return conv.weight.numpy(), conv.bias.numpy()

    branches = [
        (weights(module.location_conv[0]), weights(module.location_scores)),
        (weights(module.recalibrating_conv[0]), weights(module.recalibrating_scores)),
    ]
    maps = [[part[0].numpy() for part in scale] for scale in features]
    convs = [weights(conv[0]) for conv in module.scale_convs]
    location, recalibration = scale_attention.attention_model(maps, convs, branches, (2, 1), align_corners=False)
    expected = scale_attention.final_scores(
        [part[0].numpy() for part in scores], scale_attention.location_attention(location), ran.sigmoid(recalibration)
    )
    np.testing.assert_allclose(module(features, scores)[0].numpy(), expected, atol=1e-9)


@pytest.mark.parametrize(('ours', 'theirs'), IN_REGIONS.values(), ids=IN_REGIONS)
@pytest.mark.parametrize('coarse', [False, True])
def test_region_attention_and_its_head_exchange_weights(ours, theirs, coarse):
    plain = RegionAttention(8, 5, channels=6, coarse_channels=6 if coarse else None, **ours)
    source = dict(coarse_in_index=0, coarse_in_channels=6) if coarse else {}
    head = RegionAttentionHead(8, channels=6, num_classes=5, in_index=1, **of_the_head(ours, theirs), **source)
    plain.eval(), head.eval()
    inputs = [torch.randn(2, 6, 12, 16), torch.randn(2, 8, 6, 8)]
    given = (inputs[1], inputs[0]) if coarse else (inputs[1],)
    exchange(plain, head, lambda module: module(*given), lambda module: module(inputs))
    assert torch.equal(plain.regions(*given).labels, head.regions(inputs).labels)
    labels = torch.randint(5, (2, 48, 64))
    labels[0, :9] = 255
    samples = make_samples(labels)
    edges = boundary_labels(labels)
    for sample, edge in zip(samples, edges, strict=True):
        sample.gt_edge_map = PixelData(data=edge[None])
    losses = head.loss(inputs, samples, {})
    options = dict(align_corners=ours.get('align_corners', False))
    for name, loss in region_attention_losses(plain.branches(*given), labels, edges, **options).items():
        torch.testing.assert_close(loss, losses[f'{name}.loss_ce'], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('radius', [1, 2, 2.5, 3])
def test_boundary_labels_are_those_of_a_pipeline(radius):
    labels = torch.randint(2, (3, 6, 7)).repeat_interleave(3, 1).repeat_interleave(3, 2)
    labels[1, 4:9, 2:5] = 255
    expected = [labels_in_a_pipeline(each.byte().numpy(), radius).tolist() for each in labels]
    found = boundary_labels(labels, radius)
    assert found.tolist() == expected and {0, 1, 255} == set(found.unique().tolist())


def spread(module):
    return {name: value.std().item() for name, value in module.named_parameters() if value.dim() == 4}


def test_first_weights_are_those_of_the_heads():
    heads = {
        ReverseAttention(64, 64): ReverseAttentionHead(64, num_classes=64),
        ScaleAttention(64, 64, channels=64, scale_channels=64): ScaleAttentionHead(
            64, 64, channels=64, scale_channels=64
        ),
        RegionAttention(64, 64, 64): RegionAttentionHead(64, channels=64, num_classes=64),
    }
    for plain, head in heads.items():
        head.init_weights()
        assert spread(plain) == pytest.approx(spread(head), rel=0.2)
        assert len(spread(plain)) >= 2


def modules():
    features, labels = torch.randn(2, 8, 6, 8), torch.randint(5, (2, 6, 8))
    scales = [[torch.randn(2, 8, 6, 8)], [torch.randn(2, 8, 3, 4)]]
    scores = [torch.randn(2, 5, 6, 8), torch.randn(2, 5, 3, 4)]
    narrow = dict(dilations=(2, 1), channels=6, scale_channels=3)
    return {
        'reverse': (ReverseAttention(8, 5), (features,), labels),
        'scales': (ScaleAttention(8, 5, **narrow), (scales, scores), labels),
        'regions': (RegionAttention(8, 5, channels=6, dropout=0), (features,), labels),
    }


@pytest.mark.parametrize('name', ['reverse', 'scales', 'regions'])
def test_copies_pickles_and_precisions(name):
    module, inputs, labels = modules()[name]
    expected = module.eval()(*inputs)
    assert torch.equal(copy.deepcopy(module)(*inputs), expected)
    assert torch.equal(pickle.loads(pickle.dumps(module))(*inputs), expected)
    torch.testing.assert_close(torch.compile(module, backend='eager')(*inputs), expected)
    with torch.autocast('cpu', torch.bfloat16):
        nn.functional.cross_entropy(module(*inputs).float(), labels).backward()
    assert all(parameter.grad.isfinite().all() for parameter in module.parameters())


@pytest.mark.parametrize(
    ('build', 'message'),
    [
        (lambda: ReverseAttention(8, 5, 'half'), r"ReverseAttention\(mode='half'\): expected 'simple'"),
        (lambda: ReverseAttention(8, 0), r'ReverseAttention\(num_classes=0\)'),
        (lambda: ScaleAttention(8, 0), 'ScaleAttention: num_classes=0'),
        (lambda: ScaleAttention([8], 5, in_index=[0, 1]), 'must be as long as each other'),
        (lambda: ScaleAttention(8, 5)([[torch.zeros(1, 8, 4, 4)]], []), '1 scales of features and 0 of scores'),
        (lambda: RegionAttention(8, 5, use_boundary=False, use_semantic=False), 'RegionAttention divides .* neither'),
        (lambda: RegionAttention(8, 5, layout='authors', intra=False), "RegionAttention: layout='authors' needs"),
        (lambda: RegionAttention(8, 5, 4)(*torch.zeros(2, 1, 8, 4, 4)), 'expects no second feature map without'),
        (lambda: RegionAttention(8, 5, 4, coarse_channels=3)(torch.zeros(1, 8, 4, 4)), 'expects a second feature map'),
    ],
)
def test_wrong_arguments(build, message):
    with pytest.raises(ConfigError, match=message):
        build()
