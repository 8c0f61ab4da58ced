import numpy as np
import pytest
import torch
from checks.model_checks import HeadChecks, make_samples
from reference import ran

from mmrev.errors import ConfigError
from mmrev.models import ReverseAttentionHead

MODES = ('simple', 'normalized', 'dual')


class TestSimple(HeadChecks):
    head = dict(type='mmrev.ReverseAttentionHead', mode='simple', in_channels=8, in_index=1)


class TestNormalized(HeadChecks):
    head = dict(type='mmrev.ReverseAttentionHead', mode='normalized', in_channels=8, in_index=1, align_corners=True)


class TestDual(HeadChecks):
    head = dict(type='mmrev.ReverseAttentionHead', mode='dual', in_channels=8, in_index=1, dilation=1)


class TestWithDropout(HeadChecks):
    head = dict(type='mmrev.ReverseAttentionHead', in_channels=8, in_index=1, dropout_ratio=0.1)


def small_head(mode, dtype=torch.float64):
    head = ReverseAttentionHead(in_channels=3, num_classes=4, mode=mode, dilation=2, in_index=0)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    return head.to(dtype)


def numpy_branches(head, features):
    original, reverse = (
        ran.conv3x3(features, conv.weight.detach().numpy(), conv.bias.detach().numpy(), 2)
        for conv in (head.conv_org, head.conv_rev)
    )
    return ran.combine(original, reverse, head.mode), original, -reverse


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize(('dtype', 'tolerance'), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_branches_equal_the_paper(mode, dtype, tolerance):
    head = small_head(mode, dtype)
    features = torch.randn(2, 3, 9, 11, dtype=dtype)
    branches = head.forward_branches([features])
    for index in range(2):
        for ours, expected in zip(branches, numpy_branches(head, features[index].numpy()), strict=True):
            np.testing.assert_allclose(ours[index].detach().numpy(), expected, atol=tolerance, rtol=tolerance)
    assert torch.equal(head([features]), branches.combined)
    assert torch.equal(branches.reverse, -branches.negated_reverse)


@pytest.mark.parametrize('mode', MODES)
def test_three_cross_entropies_of_the_same_labels(mode):
    head, features = small_head(mode), torch.randn(1, 3, 9, 11, dtype=torch.float64)
    labels = torch.randint(4, (1, 9, 11))
    labels[0, 2:5] = 255
    losses = head.loss([features], make_samples(labels), {})
    expected = [ran.cross_entropy(scores, labels[0].numpy()) for scores in numpy_branches(head, features[0].numpy())]
    names = [f'{branch}.loss_ce' for branch in ('combined', 'original', 'reverse')]
    np.testing.assert_allclose([losses[name].item() for name in names], expected, atol=1e-9)
    assert {name for name in losses if 'loss' in name} == set(names)


@pytest.mark.parametrize('mode', MODES)
def test_gradient(mode):
    head = small_head(mode)
    features = torch.randn(1, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: tuple(head.forward_branches([x])), features)


def test_without_attention_the_prediction_is_the_original():
    head = small_head('simple')
    # sigmoid(-800) is 0 in float64
    torch.nn.init.zeros_(head.conv_org.weight)
    torch.nn.init.constant_(head.conv_org.bias, 800)
    branches = head.forward_branches([torch.randn(1, 3, 9, 11, dtype=torch.float64)])
    assert branches.reverse.abs().max() > 1
    assert torch.equal(branches.combined, branches.original)


def test_all_three_losses_reach_the_original_branch():
    """The attention is not detached: even without the original's own loss its convolution learns through it."""
    head, features = small_head('simple'), torch.randn(1, 3, 9, 11, dtype=torch.float64)
    branches = head.forward_branches([features])
    (with_attention,) = torch.autograd.grad(branches.combined.sum(), head.conv_org.weight, retain_graph=True)
    (plain,) = torch.autograd.grad(branches.original.sum(), head.conv_org.weight)
    assert not torch.allclose(with_attention, plain)


def test_dual_has_no_attention():
    assert (small_head('dual').attention(torch.randn(1, 4, 3, 3)) == 1).all()


def test_a_subclass_can_have_another_attention():
    class Twice(ReverseAttentionHead):
        def attention(self, original):
            return torch.full_like(original, 2)

    head = Twice(in_channels=3, num_classes=4, dilation=1, in_index=0)
    features, labels = torch.randn(1, 3, 9, 11), torch.randint(4, (1, 9, 11))
    expected = head.conv_org(features) - 2 * head.conv_rev(features)
    torch.testing.assert_close(head([features]), expected)
    loss = head.loss([features], make_samples(labels), {})['combined.loss_ce']
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(expected, labels))


def test_unknown_mode():
    with pytest.raises(ConfigError, match=r"\(mode='tripple'\): expected 'simple', 'normalized' or 'dual'"):
        ReverseAttentionHead(in_channels=3, num_classes=4, mode='tripple')


def test_binary_segmentation_with_one_channel():
    head = ReverseAttentionHead(
        in_channels=3,
        num_classes=2,
        out_channels=1,
        threshold=0.5,
        in_index=0,
        loss_decode=dict(type='mmseg.CrossEntropyLoss', use_sigmoid=True),
    )
    losses = head.loss([torch.randn(2, 3, 8, 8)], make_samples(torch.randint(2, (2, 8, 8))), {})
    assert all(value.isfinite().all() for value in losses.values())
