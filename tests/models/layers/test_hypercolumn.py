import numpy as np
import pytest
import torch
from reference import ran, scale_attention
from torch.nn import functional as F

from mmrev.models.layers import HypercolumnConv, hypercolumn

SIZES = {
    'strides 4 and 8': [(17, 23), (9, 12), (9, 12)],
    'the largest last': [(5, 6), (9, 12), (17, 23)],
    'one size': [(6, 7)] * 3,
    'one pixel': [(1, 1)] * 3,
    'a pixel and more': [(1, 1), (2, 1), (3, 4)],
    'one row': [(1, 9), (1, 5), (1, 2)],
}
OUT = 2  # some maps are then resized first, others convolved first
every_layout = pytest.mark.parametrize('sizes', SIZES.values(), ids=SIZES)
every_alignment = pytest.mark.parametrize('align_corners', [False, True])


def made_up(sizes, dilation=2, align_corners=False, **kwargs):
    conv = HypercolumnConv((3, 4, 2), OUT, dilation, align_corners, **kwargs).double()
    return conv, [
        torch.randn(2, channels, *size, dtype=torch.float64, requires_grad=True)
        for channels, size in zip((3, 4, 2), sizes, strict=True)
    ]


def literally(conv, maps):
    size = max((m.shape[2:] for m in maps), key=torch.Size.numel)
    resized = [F.interpolate(m, size, mode='bilinear', align_corners=conv.align_corners) for m in maps]
    return torch.nn.Conv2d.forward(conv, torch.cat(resized, dim=1))


@every_alignment
@every_layout
@pytest.mark.parametrize('dilation', [1, 2, 12])
def test_resize_concatenate_convolve(sizes, dilation, align_corners):
    conv, maps = made_up(sizes, dilation, align_corners)
    ours, weight, bias = conv(maps).detach().numpy(), conv.weight.detach().numpy(), conv.bias.detach().numpy()
    for index in range(2):
        columns = scale_attention.hypercolumn([m[index].detach().numpy() for m in maps], align_corners)
        np.testing.assert_allclose(ours[index], ran.conv3x3(columns, weight, bias, dilation), atol=1e-12)


@every_alignment
@every_layout
def test_gradients_are_those_of_the_literal_computation(sizes, align_corners):
    conv, maps = made_up(sizes, align_corners=align_corners)
    ours, theirs = conv(maps), literally(conv, maps)
    up = torch.randn_like(ours)
    inputs = [*maps, conv.weight, conv.bias]
    for a, b in zip(*(torch.autograd.grad(y, inputs, up) for y in (ours, theirs)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


def test_without_bias():
    conv, maps = made_up(SIZES['strides 4 and 8'], bias=False)
    assert conv.bias is None
    torch.testing.assert_close(conv(maps), literally(conv, maps))


def test_a_plain_convolutions_weights_load():
    conv, maps = made_up(SIZES['strides 4 and 8'])
    plain = torch.nn.Conv2d(9, OUT, 3, padding=2, dilation=2).double()
    conv.load_state_dict(plain.state_dict(), strict=True)
    resized = [F.interpolate(m, (17, 23), mode='bilinear') for m in maps]
    torch.testing.assert_close(conv(maps), plain(torch.cat(resized, dim=1)))


def test_both_ways_are_taken(monkeypatch):
    conv, maps = made_up(SIZES['the largest last'])
    calls = []
    monkeypatch.setattr(hypercolumn, 'convolve_resized', lambda *args: calls.append(args[0].shape[1:]) or 0)
    conv(maps)
    assert calls == [(4, 9, 12)]  # not the one of 3 channels


def test_nothing_of_the_largest_size_is_kept_for_the_small_maps():
    """Autograd holds each map at its own size: the concatenation would be 24 channels at 32 x 32."""
    conv = HypercolumnConv((8, 8, 8), 4)
    maps = [torch.randn(1, 8, size, size, requires_grad=True) for size in (32, 8, 8)]
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.shape) or t, lambda t: t):
        conv(maps)
    features = [shape for shape in kept if shape[0] == 1]
    assert sorted(features) == [(1, 8, 32, 32), (1, 16, 8, 8)]


@pytest.mark.parametrize('channels', [(3, 4), (3, 4, 3), (3, 4, 2, 1)])
def test_other_channels_than_declared(channels):
    conv, _ = made_up(SIZES['one size'])
    maps = [
        torch.randn(1, width, size, size, dtype=torch.float64)
        for width, size in zip(channels, (8, 4, 2, 2), strict=False)
    ]
    with pytest.raises((ValueError, RuntimeError), match=r'expected 9|expected input|channels'):
        conv(maps)


def test_half_precision_agrees():
    conv, maps = made_up(SIZES['strides 4 and 8'])
    expected = conv(maps)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        ours = conv.float()([m.detach().float() for m in maps])
    assert ours.dtype == torch.bfloat16
    torch.testing.assert_close(ours.double(), expected.detach(), rtol=0.05, atol=0.05)
