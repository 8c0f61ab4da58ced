"""Reverse attention around the decode heads of mmsegmentation."""

import copy
import pickle

import pytest
import torch
from checks.model_checks import HeadChecks, make_samples, total_loss
from mmseg.models import decode_heads
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.registry import MODELS

from mmrev.engine.checkpoints import load_matching
from mmrev.errors import ConfigError
from mmrev.hosts import host_problem
from mmrev.models import ReverseAttentionWrapper

OPERATORS = host_problem('mmseg', ops=True) is None
BN = dict(norm_cfg=dict(type='BN'))
SINGLE = dict(in_channels=8, channels=4, in_index=-1, **BN)
ALL = dict(in_channels=[4, 6, 8], channels=4, in_index=[0, 1, 2], **BN)
# the heads of mmseg that classify by cls_seg, with the arguments that they need
HEADS = {
    'FCNHead': dict(**SINGLE, num_convs=1),
    'PSPHead': dict(**SINGLE, pool_scales=(1, 2)),
    'ASPPHead': dict(**SINGLE, dilations=(1, 2)),
    'DepthwiseSeparableASPPHead': dict(**SINGLE, dilations=(1, 2), c1_in_channels=4, c1_channels=2),
    'DepthwiseSeparableFCNHead': dict(**SINGLE, num_convs=1),
    'UPerHead': dict(**ALL, pool_scales=(1, 2)),
    'SegformerHead': ALL,
    'FPNHead': dict(**ALL, feature_strides=[4, 8, 16]),
    'NLHead': dict(**SINGLE, mode='dot_product'),
    'DNLHead': SINGLE,
    'GCHead': SINGLE,
    'CCHead': dict(SINGLE, channels=8),
    'DAHead': dict(**SINGLE, pam_channels=2),
    'ANNHead': dict(in_channels=[6, 8], channels=4, in_index=[1, 2], project_channels=2, **BN),
    'EncHead': dict(**ALL, num_codes=4),
    'EMAHead': dict(**SINGLE, ema_channels=4, num_bases=2, num_stages=2),
    'APCHead': dict(**SINGLE, pool_scales=(1, 2)),
    'DMHead': dict(**SINGLE, filter_sizes=(1, 3)),
    'ISAHead': dict(**SINGLE, isa_channels=4, down_factor=(2, 2)),
    'LRASPPHead': dict(
        in_channels=[4, 6, 8],
        channels=4,
        in_index=[0, 1, 2],
        branch_channels=(3, 4),
        input_transform='multiple_select',
        **BN,
    ),
    'LightHamHead': dict(
        in_channels=[4, 6, 8],
        channels=4,
        in_index=[0, 1, 2],
        ham_channels=4,
        norm_cfg=dict(type='GN', num_groups=2),
        ham_kwargs=dict(MD_R=4, train_steps=2, eval_steps=2),
    ),
    'PSAHead': dict(**SINGLE, mask_size=(7, 7), psa_type='collect'),
    'SETRUPHead': dict(in_channels=8, channels=4, in_index=-1, norm_cfg=dict(type='BN')),
    'SETRMLAHead': dict(in_channels=[8, 8], channels=16, in_index=[2, 2], mla_channels=8, **BN),
    'mmrev.LargeFOVHead': dict(in_channels=8, dilation=2, in_index=-1),
    'mmrev.ASPPV2Head': dict(in_channels=8, dilations=(1, 2), in_index=-1),
}
# the heads of mmseg that cannot be wrapped, and a part of the reason
REFUSED = {
    'OCRHead': 'it refines the scores of another head',
    'PointHead': 'it refines the scores of another head',
    'STDCHead': 'it has losses of its own',
    'DDRHead': 'it has losses of its own',
    'PIDHead': 'it has losses of its own',
    'IterativeDecodeHead': 'it has losses of its own',
    'VPDDepthHead': 'it has losses of its own',
    'SideAdapterCLIPHead': 'it has losses of its own',
    'MaskFormerHead': 'it is no BaseDecodeHead',
    'Mask2FormerHead': 'it is no BaseDecodeHead',
    'SegmenterMaskTransformerHead': 'it does not classify by one call of cls_seg',
    'mmrev.ReverseAttentionHead': 'it has one already',
    'mmrev.ReverseAttentionWrapper': 'it has one already',
    'mmrev.ScaleAttentionHead': 'it fuses scales, so put the wrapper into it',
    'ResNet': 'it is no BaseDecodeHead',
}
NEED_OPERATORS = ('CCHead', 'PSAHead')
CHANNELS, STRIDES, CLASSES = (4, 6, 8), (4, 8, 16), 5


def without_operators(name):
    return name in NEED_OPERATORS and not OPERATORS


def build(name, mode='simple', **changes):
    torch.manual_seed(0)
    return MODELS.build(dict(type='mmrev.ReverseAttentionWrapper', mode=mode, head=dict(bare(name), **changes)))


def bare(name):
    return dict(type=name, num_classes=CLASSES, **HEADS[name])


def features(name, height=64, width=64, batch=2):
    torch.manual_seed(1)
    if name == 'LRASPPHead':  # it pools windows of 49 x 49
        height, width = 12 * height + 16, 12 * width + 16
    sizes = [(-(-height // stride), -(-width // stride)) for stride in STRIDES]
    return [torch.randn(batch, channels, *size) for channels, size in zip(CHANNELS, sizes, strict=True)]


def first(output):
    return output[0] if isinstance(output, (tuple, list)) else output


every_head = pytest.mark.parametrize(
    'name',
    [
        pytest.param(name, marks=pytest.mark.skipif(without_operators(name), reason="needs mmcv's operators"))
        for name in HEADS
    ],
)


def test_a_subclass_can_have_another_attention():
    class Twice(ReverseAttentionWrapper):
        def reverse_attention(self, original):
            return torch.full_like(original, 2)

    head = Twice(dict(type='mmseg.FCNHead', **HEADS['FCNHead'], num_classes=5, dropout_ratio=0)).eval()
    for made in (head, copy.deepcopy(head)):
        assert isinstance(made, Twice)
        branches = made.forward_branches([torch.randn(1, 8, 6, 7)])
        assert branches.reverse.any()
        torch.testing.assert_close(branches.combined, branches.original - 2 * branches.reverse)


def test_each_decode_head_of_mmseg_is_in_one_of_the_lists():
    parts = {'KernelUpdateHead', 'KernelUpdator', 'DPTHead'}  # the first two are no decode heads
    mine = {name for name in {*HEADS, *REFUSED} if '.' not in name}
    assert {*decode_heads.__all__} - parts == mine - {'ResNet'}


@every_head
def test_it_starts_as_the_bare_head_whose_checkpoint_it_loads(name):
    plain, wrapped = MODELS.build(bare(name)).eval(), build(name).eval()
    match = load_matching(wrapped, plain.state_dict())
    assert set(match.missing) == {
        key.replace('conv_seg', 'conv_rev', 1) for key in match.matched if key.startswith('conv_seg')
    }
    assert match.missing and not match.reshaped and not match.left_over
    for parameter in wrapped.conv_rev.parameters():
        torch.nn.init.zeros_(parameter)
    inputs = features(name)
    torch.manual_seed(2)  # one head draws random numbers
    expected = first(plain(inputs))
    torch.manual_seed(2)
    assert torch.equal(first(wrapped(inputs)), expected)
    assert isinstance(wrapped, type(plain)) and isinstance(wrapped, BaseDecodeHead)


@every_head
def test_every_parameter_learns_and_each_branch_has_its_losses(name):
    head = build(name)
    head.init_weights()
    plain = MODELS.build(bare(name))
    samples = make_samples(torch.randint(CLASSES, (2, 64, 64)))
    losses = head.loss(features(name), samples, {})
    own = plain.loss(features(name), samples, {})
    assert set(losses) == {*(f'combined.{key}' for key in own), 'original.loss_ce', 'reverse.loss_ce'}
    total_loss(losses).backward()
    for key, parameter in head.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.isfinite().all(), key
    classifiers = [*head.conv_seg.parameters(), *head.conv_rev.parameters()]
    assert all(parameter.grad.any() for parameter in classifiers)


@every_head
def test_it_predicts_another_size_and_copies_are_independent(name):
    head = build(name, 'normalized').eval()
    size = (64, 64) if name == 'PSAHead' else (80, 112)  # PSA has maps of one size
    meta = dict(img_shape=size, pad_shape=size)
    inputs = features(name, *size, batch=1)
    torch.manual_seed(2)
    before = head.predict(inputs, [meta], {})
    assert before.shape == (1, CLASSES, *size) and before.isfinite().all()
    for twin in (copy.deepcopy(head), pickle.loads(pickle.dumps(head))):
        torch.manual_seed(2)
        assert type(twin) is type(head) and torch.equal(twin.predict(inputs, [meta], {}), before)
        torch.nn.init.ones_(next(twin.conv_rev.parameters()))
        torch.manual_seed(2)
        assert not torch.equal(twin.predict(inputs, [meta], {}), before)


def test_dpt_takes_tokens():
    head = dict(
        type='DPTHead',
        in_channels=[6] * 4,
        channels=4,
        embed_dims=6,
        post_process_channels=[4] * 4,
        num_classes=CLASSES,
        in_index=[0, 1, 2, 3],
        input_transform='multiple_select',
        patch_size=16,
        norm_cfg=dict(type='BN'),
    )
    head = MODELS.build(dict(type='mmrev.ReverseAttentionWrapper', head=head))
    tokens = [(torch.randn(2, 6, 4, 4), torch.randn(2, 6)) for _ in range(4)]
    losses = head.loss(tokens, make_samples(torch.randint(CLASSES, (2, 64, 64))), {})
    assert {'combined.loss_ce', 'original.loss_ce', 'reverse.loss_ce'} < {*losses}


def refused(head):
    with pytest.raises(ConfigError) as error:
        MODELS.build(dict(type='mmrev.ReverseAttentionWrapper', head=head))
    message = str(error.value)
    assert '\n' not in message
    return message


@pytest.mark.parametrize('name', REFUSED)
def test_a_head_that_cannot_be_wrapped_is_one_line(name):
    options = dict(in_channels=8, channels=4, num_layers=1, num_heads=1, embed_dims=8, num_classes=CLASSES)
    options = options if name == 'SegmenterMaskTransformerHead' else {}
    assert refused(dict(type=name, **options)).startswith(
        f'{name.rpartition(".")[-1]} cannot have a reverse branch: {REFUSED[name]}'
    )


def test_a_head_that_never_classifies_says_so_at_the_first_image():
    class SilentHead(BaseDecodeHead):
        def forward(self, inputs):
            return self._transform_inputs(inputs)

    head = ReverseAttentionWrapper(dict(type=SilentHead, in_channels=8, channels=8, num_classes=CLASSES))
    with pytest.raises(ConfigError, match='SilentHead cannot have a reverse branch: it does not classify by one call'):
        head.forward_branches([torch.zeros(1, 8, 4, 4)])
    assert head._branches_seen is None


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(), 'ReverseAttentionWrapper(head=None) wraps no head: give head=dict(type='),
        (dict(head=dict(in_channels=8)), "expected a text, a dict with a 'type', or None"),
        (dict(head='FCNHaed', in_channels=8), "head 'FCNHaed' is not in the registry of models: check its spelling"),
        (dict(head=dict(type='FCNHead'), in_channels=8), 'got in_channels beside head=dict(...): put them into the'),
        (dict(head='FCNHead', mode='both'), "(mode='both'): expected 'simple', 'normalized' or 'dual'"),
        (dict(head=3), '(head=3): expected a text, a dict with a'),
    ],
)
def test_wrong_arguments_are_one_line(options, message):
    with pytest.raises(ConfigError) as error:
        MODELS.build(dict(type='mmrev.ReverseAttentionWrapper', **options))
    assert message in str(error.value) and '\n' not in str(error.value)


def test_both_spellings_build_the_same_head():
    inside = build('FCNHead', 'normalized').state_dict()
    torch.manual_seed(0)
    beside = dict(bare('FCNHead'), type='mmrev.ReverseAttentionWrapper', head='FCNHead', mode='normalized')
    beside = MODELS.build(beside).state_dict()
    assert inside.keys() == beside.keys() and all(map(torch.equal, inside.values(), beside.values()))


@pytest.mark.parametrize('mode', ['simple', 'normalized', 'dual'])
def test_around_large_fov_it_is_the_reverse_attention_head(mode):
    """The paper's head, with other names of its weights: CONVorg is conv_seg."""
    options = dict(in_channels=8, num_classes=CLASSES, dilation=2, in_index=-1)
    paper = MODELS.build(dict(type='mmrev.ReverseAttentionHead', mode=mode, **options))
    wrapped = MODELS.build(dict(type='mmrev.ReverseAttentionWrapper', head='mmrev.LargeFOVHead', mode=mode, **options))
    wrapped.load_state_dict({key.replace('conv_org', 'conv_seg'): value for key, value in paper.state_dict().items()})
    inputs, samples = [torch.randn(2, 8, 9, 11)], make_samples(torch.randint(CLASSES, (2, 36, 44)))
    ours, expected = wrapped.loss(inputs, samples, {}), paper.loss(inputs, samples, {})
    assert {key: float(value) for key, value in ours.items()} == {key: float(value) for key, value in expected.items()}
    assert torch.equal(wrapped(inputs), paper(inputs))


class TestFCN(HeadChecks):
    head = dict(
        type='mmrev.ReverseAttentionWrapper', head='FCNHead', in_channels=8, channels=4, in_index=1, dropout_ratio=0
    )


class TestSegformer(HeadChecks):
    head = dict(
        type='mmrev.ReverseAttentionWrapper',
        mode='normalized',
        head='SegformerHead',
        in_channels=[6, 8],
        channels=4,
        in_index=[0, 1],
        norm_cfg=dict(type='GN', num_groups=2),
        dropout_ratio=0,
    )
