"""Scale attention within the multi-scale segmentor."""

import gc
import pickle
import weakref

import pytest
import torch
from checks.model_checks import make_samples
from mmengine.config import ConfigDict
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from torch.nn import functional as F

from mmrev.errors import ConfigError
from mmrev.registry import MODELS as OURS

CLASSES = 4
RESNET = dict(
    type='ResNet',
    depth=18,
    base_channels=8,
    num_stages=3,
    out_indices=(0, 1, 2),
    strides=(1, 2, 1),
    dilations=(1, 1, 2),
)
HEADS = {
    'FCN': dict(type='FCNHead', in_channels=32, in_index=2, channels=32, num_convs=0, concat_input=False),
    'PSP': dict(type='PSPHead', in_channels=32, in_index=2, channels=8, pool_scales=(1, 2)),
    'UPer': dict(type='UPerHead', in_channels=[8, 16, 32], in_index=[0, 1, 2], channels=8, pool_scales=(1, 2)),
    'RAN': dict(type='mmrev.ReverseAttentionHead', in_channels=32, in_index=2, dilation=2),
    # it has its own predict, and image-level scores beside the map
    'Enc': dict(
        type='EncHead',
        in_channels=[8, 16, 32],
        in_index=[0, 1, 2],
        channels=8,
        num_codes=4,
        loss_se_decode=dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=0.2),
    ),
}


def attention(scales=2, **options):
    return dict(
        type='mmrev.ScaleAttentionHead',
        in_channels=[8, 16, 32],
        channels=6,
        scale_channels=5,
        **{'num_classes': CLASSES, 'dilations': (3, 1, 2)[:scales], **options},
    )


def build(head='FCN', scales=(1.0, 0.5), fusion=None, align_corners=False, **kwargs):
    model = MODELS.build(
        ConfigDict(
            type='mmrev.MultiScaleEncoderDecoder',
            backbone=RESNET,
            scales=scales,
            test_cfg=dict(mode='whole'),
            decode_head=dict(HEADS[head], num_classes=CLASSES, align_corners=align_corners),
            fusion=fusion or attention(len(scales), align_corners=align_corners),
            **kwargs,
        )
    )
    model.init_weights()
    for parameter in model.fusion.parameters() if model.attends else ():
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


def images(height=64, width=80):
    return torch.randn(2, 3, height, width)


def labels(height=64, width=80):
    return make_samples(torch.randint(CLASSES, (2, height, width)))


@pytest.mark.parametrize('mode', ['multiply', 'add', None])
@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('scales', [(1.0, 0.5), (0.5, 1.0), (1.5, 0.75, 0.5)])
def test_final_scores_are_the_weighted_sum_of_the_scales(scales, align_corners, mode):
    model = build(
        scales=scales,
        align_corners=align_corners,
        fusion=attention(len(scales), align_corners=align_corners, recalibration=mode),
    )
    x = images(65, 81)
    weights, recalibration = model.attention_maps(x)
    expected = 0
    for index in range(len(scales)):
        scores = F.interpolate(
            model.decode_head(model.features_at(x, index)),
            weights.shape[2:],
            mode='bilinear',
            align_corners=align_corners,
        )
        scores = {'multiply': lambda s: s * recalibration, 'add': lambda s: s + recalibration, None: lambda s: s}[mode](
            scores
        )
        expected = expected + weights[:, index : index + 1] * scores
    torch.testing.assert_close(model(x), expected)
    torch.testing.assert_close(model.score_maps(x), expected)


def test_one_scale_is_the_plain_head_times_the_recalibration():
    model, x = build(scales=(1.0,)), images()
    plain = MODELS.build(
        dict(type='EncoderDecoder', backbone=RESNET, decode_head=dict(HEADS['FCN'], num_classes=CLASSES))
    ).eval()
    plain.load_state_dict(
        {name: value for name, value in model.state_dict().items() if not name.startswith('fusion.')}, strict=True
    )
    recalibration = model.attention_maps(x).recalibration
    scores = F.interpolate(plain(x), recalibration.shape[2:], mode='bilinear')
    torch.testing.assert_close(model(x), scores * recalibration)


def test_equal_scores_at_all_scales_are_the_plain_ones():
    model = build(fusion=attention(recalibration=None))
    torch.nn.init.zeros_(model.decode_head.conv_seg.weight)
    torch.nn.init.normal_(model.decode_head.conv_seg.bias)
    fused = model(images())
    torch.testing.assert_close(fused, model.decode_head.conv_seg.bias.view(1, -1, 1, 1).expand_as(fused))


def test_the_order_of_the_scales_does_not_matter():
    model, other, x = build(), build(scales=(0.5, 1.0), fusion=attention(dilations=(1, 3))), images()
    state = model.state_dict()
    swap = str.maketrans('01', '10')
    moved = {
        (name[:19] + name[19].translate(swap) + name[20:] if 'scale_convs' in name else name): value
        for name, value in state.items()
    }
    for branch in ('location', 'recalibrating'):
        name = f'fusion.{branch}_conv.0.weight'
        moved[name] = torch.cat(state[name].chunk(2, dim=1)[::-1], dim=1)
    for part in ('weight', 'bias'):
        moved[f'fusion.location_scores.{part}'] = state[f'fusion.location_scores.{part}'].flip(0)
    other.load_state_dict(moved, strict=True)
    torch.testing.assert_close(other(x), model(x))


@pytest.mark.parametrize('name', HEADS)
def test_any_decode_head_trains_and_predicts(name):
    model = build(name)
    losses = model.loss(images(), labels())
    sum(value for key, value in losses.items() if 'loss' in key).backward()
    assert all(value.isfinite().all() for value in losses.values())
    assert sum(key.startswith('decode.scale_0.5.') for key in losses) > 0
    assert all(parameter.grad is not None for parameter in model.fusion.parameters())
    assert model.predict(images(), labels())[0].seg_logits.data.shape == (CLASSES, 64, 80)


def test_every_branch_of_reverse_attention_is_fused_with_the_same_maps():
    model, x = build('RAN'), images()
    maps, fused = model.attention_maps(x), model.score_maps(x)
    branches = [model.decode_head.forward_branches(model.features_at(x, index)) for index in range(2)]
    for branch in ('combined', 'original', 'negated_reverse'):
        expected = model.fusion.fuse([getattr(scores, branch) for scores in branches], maps)
        assert torch.equal(getattr(fused, branch), expected)


def test_losses_of_the_final_scores_and_of_each_scale():
    model, x, samples = build(), images(), labels()
    losses = model.loss(x, samples)
    assert {name for name in losses if 'loss' in name} == {
        'decode.loss_ce',
        'decode.scale_1.loss_ce',
        'decode.scale_0.5.loss_ce',
    }
    truth = torch.stack([sample.gt_sem_seg.data[0] for sample in samples])
    for name, scores in (
        ('decode.loss_ce', model(x)),
        ('decode.scale_0.5.loss_ce', model.decode_head(model.features_at(x, 1))),
    ):
        resized = F.interpolate(scores, (64, 80), mode='bilinear')
        torch.testing.assert_close(losses[name], F.cross_entropy(resized, truth))


def test_one_scale_has_its_own_loss_too():
    assert {name for name in build(scales=(1.0,)).loss(images(), labels()) if 'loss' in name} == {
        'decode.loss_ce',
        'decode.scale_1.loss_ce',
    }


@pytest.mark.parametrize('fusion', ['max', 'avg', attention()])
def test_without_extra_supervision(fusion):
    losses = build(fusion=fusion, extra_supervision=False).loss(images(), labels())
    assert set(losses) == {'decode.loss_ce', 'decode.acc_seg'}


@pytest.mark.parametrize('size', [(67, 87), (9, 9), (1, 1)])
def test_odd_and_tiny_images(size):
    model = build(scales=(1.0, 0.5, 0.25))
    assert model.predict(images(*size), labels(*size))[0].pred_sem_seg.data.shape == (1, *size)
    assert all(value.isfinite().all() for value in model.loss(images(*size), labels(*size)).values())


@torch.no_grad()
@pytest.mark.parametrize('fusion', ['max', attention(3)])
def test_inference_lets_go_of_a_scales_features_before_the_next(fusion):
    model = build(scales=(0.5, 1.0, 0.75), fusion=fusion)
    alive, counts = [], []

    def count(*_):
        gc.collect()
        counts.append(sum(reference() is not None for reference in alive))

    model.backbone.register_forward_pre_hook(count)
    model.backbone.register_forward_hook(lambda _, __, maps: alive.extend(map(weakref.ref, maps)))
    model.predict(images(), labels())
    assert counts == [0, 0, 0] and len(alive) == 9


def test_wrong_number_of_scales():
    with pytest.raises(ConfigError, match=r'has 3 dilations, for as many scales, but scales=\(1.0, 0.5\)'):
        build(fusion=attention(3))


def test_another_resizing():
    with pytest.raises(ConfigError, match='align_corners is True in the decode head and False in ScaleAttentionHead'):
        build(align_corners=True, fusion=attention())


def test_another_number_of_classes():
    with pytest.raises(ConfigError, match='recalibrates num_classes=5 score maps, the decode head gives 4'):
        build(fusion=attention(num_classes=5))
    assert build(fusion=attention(num_classes=5, recalibration=None)).attends


@OURS.register_module()
class OwnLossHead(FCNHead):
    """A head with its own ``loss``, as Mask2Former has."""

    def loss(self, inputs, batch_data_samples, train_cfg):
        return super().loss(inputs, batch_data_samples, train_cfg)


def test_a_head_with_its_own_loss_is_refused():
    model = dict(HEADS['FCN'], type='mmrev.OwnLossHead', num_classes=CLASSES)
    with pytest.raises(ConfigError, match="OwnLossHead has a loss of its own.*fusion='avg'"):
        MODELS.build(
            ConfigDict(
                type='mmrev.MultiScaleEncoderDecoder',
                backbone=RESNET,
                scales=(1.0, 0.5),
                decode_head=model,
                fusion=attention(),
            )
        )


@pytest.mark.parametrize('fusion', ['max', 'avg', attention()])
def test_models_are_pickled(fusion):
    model, x = build(fusion=fusion), images()
    assert torch.equal(pickle.loads(pickle.dumps(model))(x), model(x))


def test_max_fusion_has_no_attention_maps():
    with pytest.raises(ConfigError, match=r'only a fusion of type mmrev.ScaleAttentionHead'):
        build(fusion='max').attention_maps(images())
