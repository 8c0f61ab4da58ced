"""RANet's head as mmseg uses it: losses, options, outputs, errors."""

import pytest
import torch
from checks.model_checks import HeadChecks, make_samples
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from region_heads import NARROW, OPTIONS, build, features, with_boundaries
from torch.nn import functional as F

from mmrev.errors import ConfigError, DataError
from mmrev.models import RegionAttentionHead
from mmrev.models.layers.regions.operators import OPERATORS


class RegionChecks(HeadChecks):
    """The checks of every head, with boundary labels."""

    def samples(self, *args, **kwargs):
        return with_boundaries(super().samples(*args, **kwargs))


class TestRANet(RegionChecks):
    head = dict(type='mmrev.RegionAttentionHead', **NARROW)


class TestAuthorsCode(RegionChecks):
    head = dict(
        type='mmrev.RegionAttentionHead',
        align_corners=True,
        norm_cfg=dict(type='GN', num_groups=2),
        **NARROW,
        **OPTIONS["authors' code"],
    )


class TestAuthorsLayout(RegionChecks):
    head = dict(
        type='mmrev.RegionAttentionHead',
        align_corners=True,
        norm_cfg=dict(type='GN', num_groups=2),
        **NARROW,
        **OPTIONS["authors' layout"],
    )


class TestBoundaryMapOnly(RegionChecks):
    head = dict(type='mmrev.RegionAttentionHead', use_semantic=False, **NARROW)


@pytest.mark.parametrize('kind', [torch.float16, torch.bfloat16])
def test_a_model_in_half_precision(kind):
    head = build().to(kind)
    head.forward_branches([part.to(kind) for part in features()]).fine.float().sum().backward()
    assert head.visual.conv.weight.grad.isfinite().all()


def test_backward_inside_autocast():
    head, inputs = build(), features()
    with torch.autocast('cpu', torch.bfloat16):
        head.forward_branches(inputs).fine.float().sum().backward()
    assert head.visual.conv.weight.grad.dtype == torch.float32


def test_compiled_it_is_the_same():
    head, inputs = build().eval(), features()
    whole = OPERATORS  # without operators in torch, region construction leaves the graph
    compiled = torch.compile(head, backend='aot_eager', fullgraph=whole)
    torch.testing.assert_close(compiled(inputs), head(inputs))


def test_shapes_without_numbers():
    head = build().to('meta')
    assert head([part.to('meta') for part in features()]).shape == (2, 5, 6, 8)


def test_all_3x3_convolutions_start_alike():
    head = build(channels=64)
    spread = {
        name: layer.weight.std().item()
        for name, layer in head.named_modules()
        if isinstance(layer, torch.nn.Conv2d) and layer.kernel_size == (3, 3)
    }
    assert len(spread) == 8
    for value in spread.values():
        assert value == pytest.approx((2 / 9 / 64) ** 0.5, rel=0.05)


@pytest.mark.parametrize('options', OPTIONS.values(), ids=OPTIONS)
def test_options_train(options):
    head = build(**options)
    losses = head.loss(features(), with_boundaries(make_samples(torch.randint(5, (2, 48, 64)))), {})
    assert {name for name in losses if 'loss' in name} == {'fine.loss_ce', 'semantic.loss_ce', 'boundary.loss_ce'}
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    assert all(parameter.grad is not None for parameter in head.parameters())


def test_losses_are_cross_entropies_of_the_three_maps():
    head, inputs = build(), features()
    samples = with_boundaries(make_samples(torch.randint(5, (2, 48, 64))))
    samples[0].gt_edge_map.data[0, :9] = 255
    losses, scores = head.loss(inputs, samples, {}), head.forward_branches(inputs)
    truth = torch.cat([sample.gt_sem_seg.data for sample in samples])
    for name in ('fine', 'semantic'):
        resized = F.interpolate(getattr(scores, name), (48, 64), mode='bilinear')
        torch.testing.assert_close(losses[f'{name}.loss_ce'], F.cross_entropy(resized, truth))
    edges = torch.cat([sample.gt_edge_map.data for sample in samples])
    resized = F.interpolate(scores.boundary, (48, 64), mode='bilinear')[:, 0]
    known = edges != 255
    expected = F.binary_cross_entropy_with_logits(resized[known], edges[known].float(), reduction='sum')
    torch.testing.assert_close(losses['boundary.loss_ce'] * edges.numel(), expected, rtol=1e-4, atol=0)


def test_the_boundary_and_semantic_maps_learn_from_the_fine_loss():
    """The representative scores are differentiable."""
    head = build()
    head.forward_branches(features()).fine.square().sum().backward()
    assert head.boundary[1].weight.grad.any() and head.semantic[1].weight.grad.any()


def test_coarse_output():
    model = MODELS.build(
        ConfigDict(
            type='EncoderDecoder',
            test_cfg=dict(mode='whole', output='coarse'),
            backbone=dict(
                type='ResNet',
                depth=18,
                base_channels=4,
                num_stages=2,
                strides=(1, 2),
                dilations=(1, 1),
                out_indices=(0, 1),
            ),
            decode_head=dict(type='mmrev.RegionAttentionHead', num_classes=5, **NARROW),
        )
    ).eval()
    images, meta = torch.randn(2, 3, 48, 64), [dict(img_shape=(48, 64), pad_shape=(48, 64))] * 2
    maps = model.decode_head.forward_branches(model.extract_feat(images))
    for output, scores in (('coarse', maps.semantic), ('fine', maps.fine)):
        model.test_cfg.output = output
        torch.testing.assert_close(model.encode_decode(images, meta), F.interpolate(scores, (48, 64), mode='bilinear'))
    model.test_cfg.output = 'medium'
    with pytest.raises(ConfigError, match="unknown test_cfg.output 'medium': use one of 'fine', 'coarse'"):
        model.encode_decode(images, meta)


def test_missing_boundary_labels():
    with pytest.raises(DataError, match=r'no boundary labels.*put dict\(type=.mmrev.BoundaryLabels.\)'):
        build().loss(features(), make_samples(torch.randint(5, (2, 48, 64))), {})
    samples = with_boundaries(make_samples(torch.randint(5, (2, 48, 64))))
    for missing in (dict(data=torch.zeros(1, 24, 64).long()), None):  # the second sample: another size, then none
        samples[1].gt_edge_map = PixelData(**missing) if missing else samples[1].gt_edge_map
        if not missing:
            del samples[1].gt_edge_map
        with pytest.raises(DataError, match='no boundary labels of the size of its mask'):
            build().loss(features(), samples, {})


def test_another_ignored_label():
    """Boundary labels always use 255, even if the masks use another label."""
    head = build(ignore_index=4)
    samples = with_boundaries(make_samples(torch.randint(4, (2, 48, 64))))
    samples[0].gt_edge_map.data[:] = 255
    alone = build(ignore_index=4)
    alone.load_state_dict(head.state_dict())
    inputs = features()
    both, one = (
        model.loss([part[-count:] for part in inputs], samples[-count:], {})['boundary.loss_ce'] * count
        for model, count in ((head.eval(), 2), (alone.eval(), 1))
    )
    torch.testing.assert_close(both, one)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(similarity='cosine'), "unknown similarity 'cosine': use one of 'jsd', 'binary_jsd'"),
        (dict(scope='batch'), r"RegionAttentionHead\(scope='batch'\): expected 'region' or 'image'"),
        (dict(use_boundary=False, use_semantic=False), 'not by neither'),
        (dict(num_representatives=0), r'\(num_representatives=0\): expected an integer of at least 1'),
        (dict(threshold='high'), r"\(threshold='high'\): expected a number of at least 0 and at most 1"),
        (dict(temperature=0), r'\(temperature=0\): expected a number above 0'),
        (dict(layout='printed'), r"\(layout='printed'\): expected 'paper' or 'authors'"),
        (dict(layout='authors', inter=False), "layout='authors' needs 2 representatives, and has no intra, inter or"),
        (dict(layout='authors', num_representatives=1), "layout='authors' needs 2 representatives"),
        (dict(coarse_in_index=0), 'give coarse_in_index and coarse_in_channels both or neither'),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ConfigError, match=message):
        build(**options)


@pytest.mark.parametrize(('layout', 'expected'), [('paper', 18.9e6), ('authors', 21.26e6)])
def test_parameters_on_512_channels(layout, expected):
    """Table 3 prints 21 M."""
    with torch.device('meta'):
        head = RegionAttentionHead(512, num_classes=19, in_index=0, norm_cfg=dict(type='BN'), layout=layout)
    assert sum(parameter.numel() for parameter in head.parameters()) == pytest.approx(expected, rel=0.001)


def test_the_weight_of_the_semantic_loss():
    head, inputs = build(), features()
    samples = with_boundaries(make_samples(torch.randint(5, (2, 48, 64))))
    before = head.loss(inputs, samples, {})
    head.semantic_weight = 0.4
    after = head.loss(inputs, samples, {})
    torch.testing.assert_close(after['semantic.loss_ce'], 0.4 * before['semantic.loss_ce'])
    assert all(torch.equal(after[name], value) for name, value in before.items() if name != 'semantic.loss_ce')
