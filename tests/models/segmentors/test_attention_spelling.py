"""``decode_head=dict(type='mmrev.ScaleAttentionHead', head=...)`` is another spelling of ``fusion=...``."""

import copy

import pytest
import tiny_runs
import torch
from checks.model_checks import make_samples
from mmengine import Config
from mmengine.config import ConfigDict
from mmseg.registry import MODELS

from mmrev.errors import ConfigError
from mmrev.models import MultiScaleEncoderDecoder, ScaleAttentionHead
from mmrev.models.segmentors.attention_spelling import spell_as_fusion
from mmrev.testing import quick_config, run_quick

CLASSES = 4
HEADS = {
    'FCN': dict(type='FCNHead', in_channels=8, in_index=1, channels=8, num_convs=0, concat_input=False),
    'RAN': dict(type='mmrev.ReverseAttentionHead', in_channels=8, in_index=1, dilation=2),
    'sigmoid': dict(
        type='mmrev.LargeFOVHead',
        in_channels=8,
        in_index=1,
        out_channels=1,
        threshold=0.5,
        loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True),
    ),
}
ATTENTION = dict(in_channels=[4, 8], dilations=(2, 1), channels=6, scale_channels=5)
NAMES = ('mmrev.ScaleAttentionHead', 'ScaleAttentionHead', ScaleAttentionHead)


def network(**options):
    """A segmentor's config without its decode head and fusion."""
    backbone = dict(
        type='ResNet', depth=18, base_channels=4, num_stages=2, strides=(1, 2), dilations=(1, 1), out_indices=(0, 1)
    )
    base = dict(type='mmrev.MultiScaleEncoderDecoder', backbone=backbone, test_cfg=dict(mode='whole'))
    return {**base, **options}


def head_of(name, **options):
    return dict(HEADS[name], num_classes=2 if name == 'sigmoid' else CLASSES, **options)


def as_fusion(name='FCN', align_corners=False, **options):
    head = head_of(name, align_corners=align_corners)
    attention = dict(
        ATTENTION,
        type='mmrev.ScaleAttentionHead',
        num_classes=head.get('out_channels', head['num_classes']),
        align_corners=align_corners,
    )
    return network(scales=(1.0, 0.5), decode_head=head, fusion=attention, **options)


def as_head(name='FCN', kind=NAMES[0], align_corners=False, **options):
    head = head_of(name, align_corners=align_corners)
    return network(decode_head=dict(ATTENTION, type=kind, head=head, scales=(1.0, 0.5)), **options)


def build(cfg):
    torch.manual_seed(0)
    model = MODELS.build(ConfigDict(cfg))
    model.init_weights()
    return model.eval()


def batch(classes=CLASSES):
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(2, 3, 32, 40, generator=generator)
    return images, make_samples(torch.randint(classes, (2, 32, 40), generator=generator))


MORE = {
    'plain': {},
    'auxiliary head': dict(auxiliary_head=head_of('FCN')),
    'auxiliary heads': dict(auxiliary_head=[head_of('FCN'), head_of('FCN')]),
    'neck': dict(neck=dict(type='FPN', in_channels=[4, 8], out_channels=8, num_outs=2)),
    'final losses alone': dict(extra_supervision=False),
    'crf': dict(
        test_cfg=dict(mode='whole', crf=dict(iterations=1)), data_preprocessor=dict(type='SegDataPreProcessor')
    ),
    'sliding': dict(test_cfg=dict(mode='slide', crop_size=(16, 16), stride=(8, 8))),
}


def with_neck(cfg):
    """Gives the attention model the channels of the neck."""
    attention = cfg.get('fusion') or cfg['decode_head']
    return {**cfg, 'fusion' if 'fusion' in cfg else 'decode_head': dict(attention, in_channels=[8, 8])}


@pytest.mark.parametrize('more', MORE)
@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('name', ['FCN', 'RAN'])
def test_both_spellings_are_one_model(name, align_corners, more):
    cfgs = [spell(name, align_corners=align_corners, **MORE[more]) for spell in (as_fusion, as_head)]
    ours, theirs = (build(with_neck(cfg) if more == 'neck' else cfg) for cfg in cfgs)
    assert ours.scales == theirs.scales == (1.0, 0.5) and theirs.attends
    state, other = ours.state_dict(), theirs.state_dict()
    assert list(state) == list(other) and all(torch.equal(state[key], other[key]) for key in state)
    losses, others = ours.loss(*batch()), theirs.loss(*batch())
    assert list(losses) == list(others) and all(torch.equal(losses[key], others[key]) for key in losses)
    predictions = [model.predict(*batch())[0].seg_logits.data for model in (ours, theirs)]
    assert torch.equal(*predictions)


@pytest.mark.parametrize('name', HEADS)
@pytest.mark.parametrize('kind', NAMES, ids=str)
def test_a_checkpoint_of_one_loads_into_the_other(name, kind):
    ours, theirs = build(as_fusion(name)), build(as_head(name, kind))
    for parameter in theirs.parameters():
        torch.nn.init.constant_(parameter, 0.1)
    theirs.load_state_dict(ours.state_dict(), strict=True)
    images, _ = batch()
    assert torch.equal(ours(images), theirs(images))
    ours.load_state_dict(theirs.state_dict(), strict=True)


def test_options_of_the_attention_are_kept():
    cfg = as_head()
    cfg['decode_head'].update(num_classes=7, align_corners=True, recalibration=None)
    _, scales, fusion = spell_as_fusion(cfg['decode_head'])
    assert scales == (1.0, 0.5)
    assert fusion == dict(ATTENTION, type=NAMES[0], num_classes=7, align_corners=True, recalibration=None)
    with pytest.raises(ConfigError, match='align_corners is False in the decode head and True'):
        MODELS.build(ConfigDict(cfg))


def test_scales_may_stay_with_the_model():
    cfg = as_head(scales=[0.5, 1])
    del cfg['decode_head']['scales']
    assert build(cfg).scales == (0.5, 1.0)


def test_the_same_given_twice():
    assert build(as_head(scales=[1, 0.5])).scales == (1.0, 0.5)
    assert build(as_head(fusion=as_fusion()['fusion'])).attends


@pytest.mark.parametrize('scales', [(1.0, 0.75, 0.5), (0.5, 1.0), 1.0])
def test_other_scales_given_twice(scales):
    with pytest.raises(ConfigError, match=r'scales=.* of the model and scales=\(1.0, 0.5\) of its ScaleAttentionHead'):
        build(as_head(scales=scales))


@pytest.mark.parametrize('fusion', ['max', 'avg', dict(as_fusion()['fusion'], channels=7)])
def test_another_fusion_given_twice(fusion):
    with pytest.raises(ConfigError, match='the decode_head ScaleAttentionHead is the fusion, and fusion=.* is another'):
        build(as_head(fusion=fusion))


def test_no_inner_head():
    cfg = as_head()
    del cfg['decode_head']['head']
    with pytest.raises(ConfigError, match=r'has no head: give it head=dict\(...\)'):
        build(cfg)


@pytest.mark.parametrize('kind', [NAMES[0], NAMES[2]], ids=str)
@pytest.mark.parametrize('left_out', ['', 'head', 'scales'])
def test_a_model_of_one_scale_says_which_type_to_set(kind, left_out):
    cfg = dict(as_head(kind=kind), type='EncoderDecoder')
    cfg['decode_head'].pop(left_out, None)
    with pytest.raises(ConfigError, match="set type='mmrev.MultiScaleEncoderDecoder'") as caught:
        MODELS.build(ConfigDict(cfg))
    assert '\n' not in str(caught.value)


def test_the_config_is_left_as_it_was():
    cfg = ConfigDict(as_head())
    before = copy.deepcopy(cfg)
    MODELS.build(cfg)
    assert cfg == before


def test_positional_arguments():
    cfg = as_head()
    model = MultiScaleEncoderDecoder(cfg['backbone'], cfg['decode_head'])
    assert model.attends and model.scales == (1.0, 0.5)


def test_pretrained_weights_reach_the_backbone(tmp_path):
    source = build(as_fusion())
    torch.save(source.backbone.state_dict(), tmp_path / 'backbone.pth')
    model = MODELS.build(ConfigDict(as_head(pretrained=str(tmp_path / 'backbone.pth'))))
    torch.nn.init.zeros_(model.backbone.conv1.weight)
    model.init_weights()
    assert torch.equal(model.backbone.conv1.weight, source.backbone.conv1.weight)


def test_a_quick_run(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    inner = cfg.model.pop('decode_head')
    cfg.model.pop('scales')
    cfg.model.decode_head = dict(
        ATTENTION, type='mmrev.ScaleAttentionHead', head=inner, scales=(1.0, 0.5), norm_cfg=dict(type='SyncBN')
    )
    cfg = Config(cfg.to_dict())  # as a file would give it
    metrics = run_quick(quick_config(cfg, tmp_path / 'quick'), tmp_path / 'work')
    assert 'mIoU' in metrics
    log = tiny_runs.logged(tmp_path / 'work')
    assert 'decode.scale_0.5.combined.loss_ce' in log and 'decode.combined.loss_ce' in log
