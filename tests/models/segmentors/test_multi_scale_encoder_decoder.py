import pytest
import torch
from checks.model_checks import make_samples, total_loss
from mmengine.config import ConfigDict
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch.nn import functional as F

from mmrev.errors import ConfigError
from mmrev.models.decode_heads.reverse_attention_head import BranchScores
from mmrev.models.segmentors.scales import rescale
from mmrev.registry import MODELS as OURS

CLASSES = 4
RAN = dict(type='mmrev.ReverseAttentionHead', in_channels=64, in_index=3, dilation=2)
RESNET = dict(
    type='ResNet',
    depth=18,
    base_channels=8,
    num_stages=4,
    out_indices=(0, 1, 2, 3),
    strides=(1, 2, 1, 1),
    dilations=(1, 1, 2, 4),
)
HEADS = {
    'RAN': RAN,
    'LargeFOV': dict(type='mmrev.LargeFOVHead', in_channels=64, in_index=3),
    'FCN': dict(type='FCNHead', in_channels=64, in_index=3, channels=8, num_convs=1),
    'PSP': dict(type='PSPHead', in_channels=64, in_index=3, channels=8, pool_scales=(1, 2)),
    'UPer': dict(type='UPerHead', in_channels=[8, 16, 32, 64], in_index=[0, 1, 2, 3], channels=8, pool_scales=(1, 2)),
    'Segformer': dict(type='SegformerHead', in_channels=[8, 16, 32, 64], in_index=[0, 1, 2, 3], channels=8),
    # its forward gives a tuple, and it has its own predict
    'Enc': dict(
        type='EncHead',
        in_channels=[16, 32, 64],
        in_index=[1, 2, 3],
        channels=8,
        num_codes=4,
        loss_se_decode=dict(type='CrossEntropyLoss', use_sigmoid=True, loss_weight=0.2),
    ),
}


def build(head=RAN, backbone=RESNET, **kwargs):
    model = MODELS.build(
        ConfigDict(
            type='mmrev.MultiScaleEncoderDecoder',
            backbone=backbone,
            decode_head=dict(head, num_classes=CLASSES),
            **{'test_cfg': dict(mode='whole'), 'train_cfg': dict(), **kwargs},
        )
    )
    model.init_weights()
    return model.eval()


def images(height=64, width=80, batch=2):
    return torch.randn(batch, 3, height, width)


def labels(height=64, width=80, batch=2):
    return make_samples(torch.randint(CLASSES, (batch, height, width)))


def scores_directly(model, x, scale):
    """Computes the combined scores at one scale, without the segmentor's own code."""
    if scale != 1:
        corner = int(model.align_corners)
        size = [int((length - corner) * scale) + corner for length in x.shape[2:]]
        x = F.interpolate(x, size, mode='bilinear', align_corners=model.align_corners)
    return model.decode_head(model.backbone(x))


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize(('fusion', 'directly'), [('max', lambda s: s.amax(0)), ('avg', lambda s: s.mean(0))])
def test_fusion_is_a_direct_computation(fusion, directly, align_corners):
    model, x = build(dict(RAN, align_corners=align_corners), fusion=fusion), images(65, 81)
    maps = [scores_directly(model, x, scale) for scale in (1.0, 0.75, 0.5)]
    resized = torch.stack(
        [F.interpolate(m, maps[0].shape[2:], mode='bilinear', align_corners=align_corners) for m in maps]
    )
    torch.testing.assert_close(model(x), directly(resized))
    torch.testing.assert_close(model.score_maps(x).combined, directly(resized))


@pytest.mark.parametrize('fusion', ['max', 'avg'])
def test_the_order_of_the_scales_does_not_matter(fusion):
    model, x = build(fusion=fusion), images()
    before = model(x)
    model.scales = (0.5, 1.0, 0.75)
    torch.testing.assert_close(model(x), before, rtol=0, atol=1e-6 if fusion == 'avg' else 0)


def test_one_scale_is_the_plain_encoder_decoder():
    model, x, samples = build(scales=(1.0,)), images(), labels()
    plain = MODELS.build(
        ConfigDict(
            type='EncoderDecoder',
            backbone=RESNET,
            decode_head=dict(RAN, num_classes=CLASSES),
            test_cfg=dict(mode='whole'),
        )
    ).eval()
    plain.load_state_dict(model.state_dict(), strict=True)
    assert torch.equal(model(x), plain(x))
    ours, theirs = model.loss(x, samples), plain.loss(x, samples)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize('name', HEADS)
def test_any_decode_head_trains_and_predicts(name):
    model = build(HEADS[name], scales=(1.0, 0.5)).train()
    model.backbone.eval()
    losses = model.loss(images(), labels())
    total_loss(losses).backward()
    missing = [
        key
        for key, parameter in model.named_parameters()
        if parameter.grad is None and not key.startswith('decode_head.conv_seg')
    ]
    assert not missing and all(value.isfinite().all() for value in losses.values())
    assert sum(key.startswith('decode.scale_0.5.') for key in losses) > 0
    assert model.eval().predict(images(), labels())[0].seg_logits.data.shape == (CLASSES, 64, 80)


def test_losses_are_named_by_scale_and_branch():
    losses = build().loss(images(), labels())
    branches = {'combined.loss_ce', 'original.loss_ce', 'reverse.loss_ce'}
    assert set(losses) == {
        f'decode.{at}{branch}' for branch in branches for at in ('', 'scale_1.', 'scale_0.75.', 'scale_0.5.')
    } | {'decode.combined.acc_seg'}


def test_auxiliary_heads_are_supervised_at_every_scale():
    auxiliary = dict(HEADS['FCN'], in_channels=32, in_index=2, num_classes=CLASSES)
    losses = build(auxiliary_head=auxiliary, scales=(1.0, 0.5)).loss(images(), labels())
    assert {key for key in losses if key.startswith('aux')} == {'aux.scale_1.loss_ce', 'aux.scale_0.5.loss_ce'}


def test_reverse_branch_fuses_what_enters_its_softmax():
    model, x = build(scales=(1.0, 0.5)), images()
    heads = [model.decode_head.forward_branches(model.features_at(x, index)) for index in range(2)]
    small = F.interpolate(heads[1].negated_reverse, heads[0].original.shape[2:], mode='bilinear')
    fused = model.score_maps(x)
    assert isinstance(fused, BranchScores)
    torch.testing.assert_close(fused.negated_reverse, torch.maximum(-heads[0].reverse, small))


@pytest.mark.parametrize('size', [(67, 87), (9, 9), (1, 1)])
def test_odd_and_tiny_images(size):
    model = build()
    assert model.predict(images(*size), labels(*size))[0].pred_sem_seg.data.shape == (1, *size)


def test_sliding_inference_covers_the_image():
    whole, x = build(), images(64, 96, batch=1)
    slide = build(test_cfg=dict(mode='slide', crop_size=(64, 64), stride=(32, 32)))
    slide.load_state_dict(whole.state_dict())
    meta = [dict(img_shape=(64, 96), pad_shape=(64, 96), ori_shape=(64, 96))]
    crops = [
        whole.inference(x[..., left : left + 64], [dict(meta[0], img_shape=(64, 64), pad_shape=(64, 64))])
        for left in (0, 32)
    ]
    expected = torch.zeros(1, CLASSES, 64, 96)
    expected[..., :64] += crops[0]
    expected[..., 32:] += crops[1]
    expected[..., 32:64] /= 2
    torch.testing.assert_close(slide.inference(x, meta), expected)


def test_test_time_augmentation_averages_the_views():
    model, x = build(), images(batch=1)
    tta = MODELS.build(dict(type='SegTTAModel', module=model))
    samples = [make_samples(torch.zeros(1, 64, 80, dtype=torch.long)) for _ in range(2)]
    samples[0][0].set_metainfo(dict(img_path='a.png', flip=False))
    samples[1][0].set_metainfo(dict(img_path='a.png', flip=True, flip_direction='horizontal'))
    merged = tta.test_step(dict(inputs=[x, x.flip(3)], data_samples=samples))[0].pred_sem_seg.data
    logits = [model.inference(view, [samples[0][0].metainfo])[0] for view in (x, x.flip(3))]
    expected = (logits[0].softmax(0) + logits[1].flip(2).softmax(0)).argmax(0)
    assert torch.equal(merged[0], expected)


@OURS.register_module()
class WeightedFusion(BaseModule):
    """A learned fusion for the test below: one weight for each scale."""

    def __init__(self, scales):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((scales,), 1 / scales))

    def forward(self, maps):
        return sum(weight * m for weight, m in zip(self.weight, maps, strict=True))


def test_a_learned_fusion_is_a_module_that_learns():
    model, x = build(fusion=dict(type='mmrev.WeightedFusion', scales=3)), images()
    average = build(fusion='avg')
    average.load_state_dict(model.state_dict(), strict=False)
    torch.testing.assert_close(model(x), average(x))
    total_loss(model.loss(x, labels())).backward()
    assert model.fusion.weight.grad.abs().min() > 0


@pytest.mark.parametrize(
    ('backbone', 'channels'),
    [
        (
            dict(
                type='mmpretrain.ConvNeXt',
                arch=dict(depths=[1, 1, 1, 1], channels=[8, 16, 24, 32]),
                drop_path_rate=0.0,
                out_indices=(0, 1, 2, 3),
                gap_before_final_norm=False,
            ),
            32,
        ),
        (dict(type='SwinTransformer', embed_dims=8, depths=(1, 1, 1, 1), num_heads=(1, 1, 1, 1), window_size=4), 64),
        (dict(type='mmpretrain.MobileNetV2', out_indices=(7,)), 1280),
    ],
    ids=lambda value: value['type'] if isinstance(value, dict) else '',
)
def test_backbones_of_mmseg_and_mmpretrain(backbone, channels):
    model = build(dict(RAN, in_channels=channels, in_index=-1), backbone, scales=(1.0, 0.5))
    total_loss(model.loss(images(), labels())).backward()
    assert all(p.grad.isfinite().all() for p in model.decode_head.parameters())
    assert model.predict(images(), labels())[0].pred_sem_seg.data.shape == (1, 64, 80)


@pytest.mark.parametrize('scales', [(), 0, (1.0, 0), (1.0, -0.5), (0.5, 0.5)])
def test_wrong_scales(scales):
    with pytest.raises(ConfigError, match='scales=.*different factors above 0'):
        build(scales=scales)


@pytest.mark.parametrize('scales', [(float('nan'),), 'max', None])
def test_scales_that_are_no_numbers(scales):
    with pytest.raises(ConfigError, match=r'scales=.*\): expected a number, or a list of numbers'):
        build(scales=scales)


def test_one_scale_as_a_number():
    assert build(scales=0.5).scales == (0.5,)


def test_unknown_fusion():
    with pytest.raises(ConfigError, match="unknown fusion 'mean'.*'max', 'avg'"):
        build(fusion='mean')


@pytest.mark.parametrize('fusion', [['max'], None, {}])
def test_fusion_of_another_type(fusion):
    with pytest.raises(ConfigError, match=r"fusion=.*\): expected a text, or a dict with a 'type'"):
        build(fusion=fusion)


def test_rescaled_sizes_are_deeplabs():
    image, scales = torch.zeros(1, 3, 321, 321), (1, 0.75, 0.5)
    assert [rescale(image, scale, align_corners=True).shape[-1] for scale in scales] == [321, 241, 161]
    assert [rescale(image, scale, align_corners=False).shape[-1] for scale in scales] == [321, 240, 160]
