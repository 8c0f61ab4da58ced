import numpy as np
import pytest
import torch
from checks.model_checks import SegmentorChecks
from mmseg.registry import MODELS
from reference import ran
from reference import scale_attention as reference

from mmrev.errors import ConfigError
from mmrev.models import ScaleAttentionHead

CHANNELS, CLASSES = (3, 4), 5
NARROW = dict(channels=6, scale_channels=7)
BASE = dict(multi_stage=False, diverse_dilations=False, conv_per_scale=False, recalibration=None)
ABLATIONS = {
    'ours': {},
    'bias': dict(recalibration='add'),
    'no recalibration': dict(recalibration=None),
    'multi-stage': dict(recalibration=None, diverse_dilations=False),
    'attention-to-scale': BASE,
    'recalibration alone': dict(location_attention=False),
    'one stage': dict(multi_stage=False),
}
every_ablation = pytest.mark.parametrize('options', ABLATIONS.values(), ids=ABLATIONS)


def segmentor(decode_head, in_channels=(4, 8), **fusion):
    return dict(
        type='mmrev.MultiScaleEncoderDecoder',
        scales=(1.0, 0.5),
        test_cfg=dict(mode='whole'),
        decode_head=decode_head,
        backbone=dict(
            type='ResNet',
            depth=18,
            base_channels=4,
            num_stages=2,
            strides=(1, 2),
            dilations=(1, 1),
            out_indices=(0, 1),
            zero_init_residual=False,
        ),
        fusion=dict(type='mmrev.ScaleAttentionHead', in_channels=in_channels, dilations=(2, 1), **NARROW, **fusion),
    )


FCN = dict(type='FCNHead', in_channels=8, in_index=1, channels=8, num_convs=0, concat_input=False)


class TestOurs(SegmentorChecks):
    model = segmentor(FCN)


class TestAttentionToScale(SegmentorChecks):
    model = segmentor(FCN, **BASE)


class TestBiasAndNorm(SegmentorChecks):
    model = segmentor(
        dict(FCN, align_corners=True), recalibration='add', align_corners=True, norm_cfg=dict(type='GN', num_groups=1)
    )


class TestOnReverseAttention(SegmentorChecks):
    model = segmentor(dict(type='mmrev.ReverseAttentionHead', in_channels=8, in_index=1, dilation=2))


class TestOnUPerNet(SegmentorChecks):
    model = segmentor(dict(type='UPerHead', in_channels=[4, 8], in_index=[0, 1], channels=8, pool_scales=(1,)))


class TestOnPSP(SegmentorChecks):
    model = segmentor(dict(type='PSPHead', in_channels=8, in_index=1, channels=8, pool_scales=(1, 2)))


def build(dtype=torch.float64, **options):
    head = ScaleAttentionHead(CHANNELS, CLASSES, **{**NARROW, **options})
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return head.to(dtype)


def features(scales=2, height=16, width=20, batch=2):
    """Maps of strides 1 and 2 for each scale. Each scale has half the size of the one before."""
    return [
        [
            torch.randn(batch, channels, -(-height // step), -(-width // step), dtype=torch.float64)
            for channels, step in zip(CHANNELS, (2**scale, 2 ** (scale + 1)), strict=True)
        ]
        for scale in range(scales)
    ]


def maps_of(head, inputs):
    return head([head.scale_features(of_scale, index) for index, of_scale in enumerate(inputs)])


def weights(*convs):
    return [(conv.weight.detach().numpy(), conv.bias.detach().numpy()) for conv in convs]


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('dilations', [(3,), (12, 2), (2, 12), (4, 3, 1)])
def test_figure_1(dilations, align_corners):
    head, inputs = build(dilations=dilations, align_corners=align_corners), features(len(dilations), 9, 13)
    maps = maps_of(head, inputs)
    for index in range(2):
        location, recalibrating = reference.attention_model(
            [[m[index].numpy() for m in of_scale] for of_scale in inputs],
            weights(*(block[0] for block in head.scale_convs)),
            [
                weights(head.location_conv[0], head.location_scores),
                weights(head.recalibrating_conv[0], head.recalibrating_scores),
            ],
            dilations,
            align_corners,
        )
        np.testing.assert_allclose(maps.attention[index].detach(), reference.location_attention(location), atol=1e-10)
        np.testing.assert_allclose(maps.recalibration[index].detach(), ran.sigmoid(recalibrating), atol=1e-10)


@pytest.mark.parametrize('mode', ['multiply', 'add', None])
def test_final_scores(mode):
    head, inputs = build(recalibration=mode), features()
    scores = [torch.randn(2, CLASSES, *size, dtype=torch.float64) for size in ((8, 10), (4, 5))]
    maps = maps_of(head, inputs)
    final = head.fuse(scores, maps).detach().numpy()
    for index in range(2):
        resized = [reference.resize(score[index].numpy(), (16, 20), False) for score in scores]
        recalibration = () if mode is None else (maps.recalibration[index].detach().numpy(), mode)
        np.testing.assert_allclose(
            final[index],
            reference.final_scores(resized, maps.attention[index].detach().numpy(), *recalibration),
            atol=1e-12,
        )


def test_maps_grow_to_finer_scores():
    head, inputs = build(), features()
    scores = [torch.randn(2, CLASSES, *size, dtype=torch.float64) for size in ((33, 41), (16, 20))]
    maps = maps_of(head, inputs)
    grown = [
        np.stack([reference.resize(m[index].detach().numpy(), (33, 41), False) for index in range(2)]) for m in maps
    ]
    small = np.stack([reference.resize(score.numpy(), (33, 41), False) for score in scores[1]])
    expected = [reference.final_scores([scores[0][i].numpy(), small[i]], grown[0][i], grown[1][i]) for i in range(2)]
    np.testing.assert_allclose(head.fuse(scores, maps).detach().numpy(), expected, atol=1e-12)


@every_ablation
def test_attention_is_a_distribution_over_scales(options):
    attention, recalibration = maps_of(build(**options), features(height=17, width=11))
    assert attention.shape[:2] == (2, 2) and attention.min() >= 0 and attention.max() <= 1
    torch.testing.assert_close(attention.sum(1), torch.ones_like(attention[:, 0]))
    if options.get('recalibration', 'multiply') == 'multiply':
        assert recalibration.shape[:2] == (2, CLASSES) and 0 < recalibration.min() < recalibration.max() < 1


def test_without_location_attention_all_scales_weigh_the_same():
    assert (maps_of(build(location_attention=False, dilations=(3, 2, 1)), features(3)).attention == 1 / 3).all()


def test_attention_to_scale_sees_the_last_map_of_each_scale_alone():
    head, inputs = build(**BASE), features()
    before = maps_of(head, inputs).attention
    for of_scale in inputs:
        of_scale[0].normal_()
    assert torch.equal(maps_of(head, inputs).attention, before)
    inputs[1][1].normal_()
    assert not torch.allclose(maps_of(head, inputs).attention, before)


def test_scales_in_another_order():
    head, other, inputs = build(dilations=(12, 2)), build(dilations=(2, 12)), features()
    state = head.state_dict()
    swapped = {
        name.replace('convs.0', 'convs.x').replace('convs.1', 'convs.0').replace('convs.x', 'convs.1'): value
        for name, value in state.items()
    }
    for name in ('location_conv.0.weight', 'recalibrating_conv.0.weight'):
        swapped[name] = torch.cat(state[name].chunk(2, dim=1)[::-1], dim=1)
    for name in ('location_scores.weight', 'location_scores.bias'):
        swapped[name] = state[name].flip(0)
    other.load_state_dict(swapped, strict=True)
    ours, theirs = maps_of(head, inputs), maps_of(other, inputs[::-1])
    torch.testing.assert_close(theirs.attention, ours.attention.flip(1))
    torch.testing.assert_close(theirs.recalibration, ours.recalibration)


def names(**options):
    return {name: parameter.numel() for name, parameter in build(**options).named_parameters()}


def test_ablations_differ_by_the_removed_module():
    ours = names()
    without = {name: size for name, size in ours.items() if not name.startswith('recalibrating_')}
    assert len(ours) - len(without) == 4
    assert names(recalibration=None) == without
    assert names(recalibration=None, diverse_dilations=False) == without
    assert names(location_attention=False).keys() == {n for n in ours if not n.startswith('location_')}
    assert names(recalibration='add') == ours
    base = names(**BASE)
    assert base.keys() == {
        'location_conv.0.weight',
        'location_conv.0.bias',
        'location_scores.weight',
        'location_scores.bias',
    }
    assert sum(base.values()) == 2 * CHANNELS[-1] * 9 * 6 + 6 + 2 * 6 + 2


def test_at_first_all_scales_weigh_about_the_same():
    head = ScaleAttentionHead(CHANNELS, CLASSES, **NARROW)
    head.init_weights()
    attention, recalibration = maps_of(head.double(), features())
    assert (attention - 0.5).abs().max() < 0.1 and (recalibration - 0.5).abs().max() < 0.1


def test_a_map_beside_the_classes_is_not_recalibrated():
    head, inputs = build(), features()
    maps = maps_of(head, inputs)
    boundary = [torch.randn(2, 1, 16, 20, dtype=torch.float64) for _ in range(2)]
    fused = head.fuse(boundary, maps)
    torch.testing.assert_close(fused, sum(maps.attention[:, index : index + 1] * boundary[index] for index in range(2)))


def test_scores_of_the_image_are_averaged():
    scores = [torch.randn(2, 7) for _ in range(2)]
    assert torch.equal(build().fuse(scores, None), (scores[0] + scores[1]) / 2)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(recalibration='divide'), r"\(recalibration='divide'\): expected 'multiply' or 'add', or None"),
        (dict(recalibration=None, location_attention=False), "use fusion='avg'"),
        *(
            (dict(dilations=wrong), r'\(dilations=.*expected a list of integers of at least 1 that is not empty')
            for wrong in ((), 12, '12', (0, 1), (12.0, 2.0), ((12, 12), (2, 2)))
        ),
        (dict(num_classes=0), 'num_classes=0, expected that of the decode head'),
        (dict(in_index=(0, 1, 2)), 'as long as each other'),
        (dict(in_channels=()), r'\(in_channels=\(\)\): expected'),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ConfigError, match=message):
        ScaleAttentionHead(**{**dict(in_channels=CHANNELS, num_classes=CLASSES), **options})


@pytest.mark.parametrize(
    ('options', 'kept', 'dilations'),
    [
        ({}, 2, [12, 2]),
        (dict(diverse_dilations=False), 2, [1, 1]),
        (dict(multi_stage=False), 1, [12, 2]),
        (BASE, 1, None),
    ],
)
def test_the_modules_of_the_ablations(options, kept, dilations):
    head = build(**options, norm_cfg=dict(type='GN', num_groups=1))
    assert head.in_channels == list(CHANNELS)[-kept:] and head.in_index == [0, 1][-kept:]
    assert [block[0].dilation[0] for block in head.scale_convs or ()] == (dilations or [])
    branches = [branch for branch in (head.location_conv, head.recalibrating_conv) if branch is not None]
    assert len(branches) == (1 if options is BASE else 2)
    for block in (*(head.scale_convs or ()), *branches):
        assert block[0].bias is None and [type(layer) for layer in block[1:]] == [torch.nn.GroupNorm, torch.nn.ReLU]


def test_widths_by_default():
    head = ScaleAttentionHead(CHANNELS, CLASSES)
    assert [tuple(block[0].weight.shape) for block in head.scale_convs] == [(256, 7, 3, 3)] * 2
    assert head.location_conv[0].weight.shape == head.recalibrating_conv[0].weight.shape == (512, 512, 3, 3)
    assert (head.location_scores.weight.shape, head.recalibrating_scores.weight.shape) == (
        (2, 512, 1, 1),
        (CLASSES, 512, 1, 1),
    )


@pytest.mark.parametrize(
    'options',
    [
        dict(in_channels=(3, 5)),
        dict(in_channels=(4, 3)),
        dict(in_channels=3, in_index=1),
        dict(in_channels=CHANNELS, in_index=(0, 0)),
        dict(in_channels=CHANNELS, in_index=(0, 2)),
        dict(in_channels=CHANNELS, in_index=(0, -3)),
    ],
)
def test_other_feature_maps_than_those_declared(options):
    head = ScaleAttentionHead(num_classes=CLASSES, **NARROW, **options)
    with pytest.raises(ConfigError, match=r'with \[.*\] channels, the backbone gives maps of \[3, 4\]: mend'):
        head.scale_features(features()[0], 0)


def test_feature_maps_from_the_end():
    first, last, of_scale = build(in_index=(0, 1)), build(in_index=(-2, -1)), features()[0]
    last.load_state_dict(first.state_dict())
    assert torch.equal(first.scale_features(of_scale, 0)[0], last.scale_features(of_scale, 0)[0])


def test_as_a_decode_head_it_says_where_it_belongs():
    config = segmentor(dict(type='mmrev.ScaleAttentionHead', in_channels=CHANNELS, num_classes=CLASSES))
    with pytest.raises(ConfigError, match="set type='mmrev.MultiScaleEncoderDecoder' .* as its fusion"):
        MODELS.build(dict(type='EncoderDecoder', backbone=config['backbone'], decode_head=config['decode_head']))
    assert not hasattr(build(), 'out_channels')


def test_it_is_compiled_in_one_piece():
    head, inputs = build(), features()
    scores = [torch.randn(2, CLASSES, *size, dtype=torch.float64) for size in ((8, 10), (4, 5))]

    def run(scores, inputs):
        return head.fuse(scores, maps_of(head, inputs))

    torch.testing.assert_close(torch.compile(run, backend='eager', fullgraph=True)(scores, inputs), run(scores, inputs))
