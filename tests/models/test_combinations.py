"""The parts of all four papers in one model: a pairwise covering design over the whole product.

Each pair of choices from two different columns of ``PARTS`` occurs in at least one model.
"""

from itertools import combinations, product

import pytest
import torch
from allpairspy import AllPairs
from checks.model_checks import total_loss
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmrev.complexity import count
from mmrev.errors import UserError

CLASSES, SIZE, WIDTHS = 5, 64, [4, 8, 16, 32]
BN = dict(type='BN')
LAST = dict(in_channels=32, in_index=3)
EVERY = dict(in_channels=WIDTHS, in_index=[0, 1, 2, 3])
HIDDEN = dict(channels=8, norm_cfg=BN)


def attention(**options):
    return dict(
        type='mmrev.ScaleAttentionHead', in_channels=WIDTHS, num_classes=CLASSES, dilations=(2, 1), channels=8,
        scale_channels=4, **options,
    )  # fmt: skip


BACKBONES = dict(
    none=dict(type='ResNet'),
    ra=dict(type='mmrev.RAResNet'),
    se=dict(type='mmrev.SEResNet'),
    cbam=dict(type='mmrev.CBAMResNet'),
    ra_added=dict(type='mmrev.add_reverse_attention'),
)
FUSIONS = dict(
    none=None,
    max='max',
    average='avg',
    attention=attention(),
    location=attention(recalibration=None),
    recalibration=attention(location_attention=False),
    bias=attention(recalibration='add', multi_stage=False),
)
REVERSE = dict(type='mmrev.ReverseAttentionHead', dilation=2, **LAST)
UPER = dict(type='UPerHead', pool_scales=(1, 2), **EVERY, **HIDDEN)
REGION = dict(type='mmrev.RegionAttentionHead', num_representatives=2, **LAST, **HIDDEN)
HEADS = dict(
    fcn=dict(type='FCNHead', num_convs=1, concat_input=False, **LAST, **HIDDEN),
    large_fov=dict(type='mmrev.LargeFOVHead', dilation=2, **LAST),
    uper=UPER,
    ran_s=dict(REVERSE, mode='simple'),
    ran_n=dict(REVERSE, mode='normalized'),
    ran_dual=dict(REVERSE, mode='dual'),
    region=REGION,
    region_k8_image=dict(REGION, num_representatives=8, scope='image', threshold=0.5),
    wrapped_uper=dict(UPER, type='mmrev.ReverseAttentionWrapper', head='UPerHead'),
    wrapped_deeplabv3plus=dict(
        type='mmrev.ReverseAttentionWrapper', mode='normalized',
        head=dict(type='DepthwiseSeparableASPPHead', c1_in_channels=4, c1_channels=4, dilations=(1, 2), **LAST,
                  **HIDDEN),
    ),
    wrapped_segformer=dict(
        type='mmrev.ReverseAttentionWrapper', mode='dual', head=dict(type='SegformerHead', **EVERY, **HIDDEN)
    ),
    wrapped_da=dict(type='mmrev.ReverseAttentionWrapper', head='DAHead', pam_channels=2, **LAST, **HIDDEN),
    wrapped_region=dict(REGION, type='mmrev.ReverseAttentionWrapper', head='mmrev.RegionAttentionHead'),
)  # fmt: skip
THIRD = dict(in_channels=16, in_index=2, num_classes=CLASSES)
AUXILIARY = dict(
    none=None,
    fcn=dict(type='FCNHead', num_convs=1, concat_input=False, **THIRD, **HIDDEN),
    reverse=dict(type='mmrev.ReverseAttentionHead', dilation=1, **THIRD),
)
TESTS = dict(
    whole=dict(mode='whole'), slide=dict(mode='slide', crop_size=(48, 48), stride=(32, 32)), flip=dict(mode='whole')
)
PARTS = dict(backbone=BACKBONES, fusion=FUSIONS, head=HEADS, auxiliary=AUXILIARY, test=TESTS)
DESIGN = [tuple(case) for case in AllPairs([list(choices) for choices in PARTS.values()])]


def model_of(case):
    backbone, fusion, head, auxiliary, test = (
        choices[name] for choices, name in zip(PARTS.values(), case, strict=True)
    )
    network = dict(depth=18, base_channels=4, out_indices=(0, 1, 2, 3), norm_cfg=BN)
    if backbone['type'] == 'mmrev.add_reverse_attention':
        backbone = dict(backbone, network=dict(type='ResNet', **network))
    else:
        backbone = dict(backbone, **network)
    head = (
        dict(head, head=dict(head['head'], num_classes=CLASSES))
        if isinstance(head.get('head'), dict)
        else dict(head, num_classes=CLASSES)
    )
    scales = {} if fusion is None else dict(scales=(1.0, 0.5), fusion=fusion)
    torch.manual_seed(0)
    return MODELS.build(
        ConfigDict(
            type='mmrev.MultiScaleEncoderDecoder' if scales else 'EncoderDecoder',
            data_preprocessor=dict(type='SegDataPreProcessor', size=(SIZE, SIZE), test_cfg=dict(size_divisor=32)),
            backbone=backbone, decode_head=head, auxiliary_head=auxiliary, test_cfg=test, **scales,
        )
    )  # fmt: skip


def batch(height, width, length):
    size = dict(img_shape=(height, width), ori_shape=(height, width), img_path='made_up.png')
    labels = torch.randint(CLASSES, (length, 1, height, width))
    samples = [
        SegDataSample(gt_sem_seg=PixelData(data=label), gt_edge_map=PixelData(data=label % 2), metainfo=dict(size))
        for label in labels
    ]
    images = [torch.randint(256, (3, height, width), dtype=torch.uint8) for _ in range(length)]
    return dict(inputs=images, data_samples=samples)


def predicted(model, mode, height, width):
    model.eval()
    images = batch(height, width, 1)
    if mode != 'flip':
        return model.test_step(images)[0]
    flipped = batch(height, width, 1)
    flipped['inputs'] = [images['inputs'][0].flip(-1)]
    flipped['data_samples'][0].set_metainfo(dict(flip=True, flip_direction='horizontal'))
    augmented = MODELS.build(dict(type='SegTTAModel', module=model))
    return augmented.test_step({key: [images[key], flipped[key]] for key in images})[0]


def test_the_design_covers_each_pair():
    columns = [list(choices) for choices in PARTS.values()]
    for first, second in combinations(range(len(columns)), 2):
        seen = {(case[first], case[second]) for case in DESIGN}
        assert seen == set(product(columns[first], columns[second]))
    assert len(DESIGN) < 0.15 * 5 * 7 * 13 * 3 * 3


@pytest.mark.parametrize('case', DESIGN, ids='-'.join)
def test_a_combination_trains_predicts_and_is_counted(case):
    model = model_of(case)
    model.init_weights()
    model.train()
    data = model.data_preprocessor(batch(SIZE, SIZE, 2), training=True)
    losses = model.loss(**data)
    total_loss(losses).backward()
    assert all(value.isfinite().all() for value in losses.values())
    assert any(name.startswith('aux') for name in losses) == (case[3] != 'none')
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name
    assert model.decode_head.conv_rev.weight.grad.any() if hasattr(model.decode_head, 'conv_rev') else True

    result = predicted(model, case[4], height=80, width=97)
    assert result.pred_sem_seg.data.shape == (1, 80, 97) and result.seg_logits.data.isfinite().all()
    assert count(model, (SIZE, SIZE)) > count(model.backbone, (SIZE, SIZE)) > 0


ALL_FOUR = ('ra', 'attention', 'wrapped_region', 'fcn', 'whole')


def test_all_four_have_the_losses_of_each():
    data = batch(SIZE, SIZE, 2)
    model = model_of(ALL_FOUR)
    losses = model.loss(**model.data_preprocessor(data, training=True))
    branches = ('combined.fine', 'combined.semantic', 'combined.boundary', 'original', 'reverse')
    assert {name for name in losses if 'loss' in name} == {
        *(f'decode.{scale}{branch}.loss_ce' for scale in ('', 'scale_1.', 'scale_0.5.') for branch in branches),
        *(f'aux.scale_{scale}.loss_ce' for scale in ('1', '0.5')),
    }


def test_all_four_come_back_from_their_weights():
    model, other = model_of(ALL_FOUR).eval(), model_of(ALL_FOUR).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    images = torch.randn(1, 3, SIZE, SIZE)
    assert not torch.equal(model(images), other(images))
    other.load_state_dict(model.state_dict())
    assert torch.equal(model(images), other(images))


def test_before_training_the_gates_and_the_reverse_branch_change_nothing():
    """The paper's protocol continues from a baseline, so its predictions are where the four begin."""
    ours, plain = (
        model_of((backbone, 'none', head, 'fcn', 'whole')).eval()
        for backbone, head in (('ra', 'wrapped_region'), ('none', 'region'))
    )
    missing = ours.load_state_dict(plain.state_dict(), strict=False)
    assert not missing.unexpected_keys
    assert all(key.endswith(('gamma', 'temperature')) or 'conv_rev' in key for key in missing.missing_keys)
    for parameter in ours.decode_head.conv_rev.parameters():
        torch.nn.init.zeros_(parameter)
    images = torch.randn(1, 3, SIZE, SIZE)
    assert torch.equal(ours(images), plain(images))


def wrapper(head):
    return dict(type='mmrev.ReverseAttentionWrapper', head=head)


# the parts that replace those of a good model -> the message
NONSENSE = {
    'a reverse branch around a reverse branch': (
        dict(decode_head=wrapper(dict(REVERSE, num_classes=CLASSES))),
        'ReverseAttentionHead cannot have a reverse branch: it has one already',
    ),
    'the wrapper around scale attention': (
        dict(decode_head=wrapper(dict(attention(), head=dict(UPER, num_classes=CLASSES)))),
        'ScaleAttentionHead cannot have a reverse branch: it fuses scales, so put the wrapper into it, as its head',
    ),
    'attention between scales, of one scale': (
        dict(scales=(1.0,), fusion=dict(attention(recalibration=None), dilations=(2,))),
        "location attention chooses between scales, and scales=(1.0,) is one: give more scales, or keep the "
        'recalibration',
    ),
    'scale attention without scales': (
        dict(fusion=attention(), scales=(1.0, 0.75, 0.5)),
        'ScaleAttentionHead has 2 dilations, for as many scales, but scales=(1.0, 0.75, 0.5)',
    ),
    'two fusions': (
        dict(decode_head=dict(attention(), head=dict(UPER, num_classes=CLASSES)), scales=(1.0, 0.5), fusion='max'),
        "the decode_head ScaleAttentionHead is the fusion, and fusion='max' is another: delete one",
    ),
    'gates on gates': (
        dict(backbone=dict(type='mmrev.add_reverse_attention', network=dict(type='mmrev.RAResNet', depth=18))),
        'RAResNet has reverse attention already: add it once',
    ),
    'other classes in the fusion': (
        dict(fusion=dict(attention(), num_classes=CLASSES + 1), scales=(1.0, 0.5)),
        'ScaleAttentionHead recalibrates num_classes=6 score maps, the decode head gives 5',
    ),
    'regions from no map': (
        dict(decode_head=dict(REGION, num_classes=CLASSES, use_boundary=False, use_semantic=False)),
        'RegionAttentionHead divides regions by the boundary map, the semantic maps or both: not by neither',
    ),
    'coarse scores of a head that has none': (
        dict(test_cfg=dict(mode='whole', output='coarse')),
        "test_cfg.output='coarse' is the semantic score map of a RegionAttentionHead, and the decode head is a ",
    ),
}  # fmt: skip


@pytest.mark.parametrize('name', NONSENSE)
def test_a_combination_without_sense_is_one_line(name):
    parts, message = NONSENSE[name]
    model = dict(
        type='mmrev.MultiScaleEncoderDecoder', scales=(1.0,), test_cfg=dict(mode='whole'),
        backbone=dict(type='ResNet', depth=18, base_channels=4), decode_head=dict(UPER, num_classes=CLASSES)
    )  # fmt: skip
    MODELS.build(ConfigDict(model))
    with pytest.raises(UserError) as error:
        MODELS.build(ConfigDict({**model, **parts}))
    assert str(error.value).startswith(message) and '\n' not in str(error.value)


def test_scale_attention_as_an_auxiliary_head_is_one_line():
    model = model_of(('none', 'none', 'uper', 'none', 'whole'))
    model.auxiliary_head = MODELS.build(attention())
    with pytest.raises(UserError, match='^ScaleAttentionHead fuses several scales: set type=[^\n]*$'):
        model.loss(**model.data_preprocessor(batch(SIZE, SIZE, 2), training=True))
