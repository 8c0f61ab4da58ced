import pytest
import torch
from mmseg.models.backbones import ResNetV1c
from torch import nn

from mmrev.engine.checkpoints import load_matching
from mmrev.errors import ConfigError
from mmrev.models import DilatedResNet

NARROW = dict(base_channels=4, stem_channels=8)


def dilations(stage):
    """Lists the dilations of the 3x3 convolutions in order."""
    return [
        conv.dilation[0]
        for name, conv in stage.named_modules()
        if isinstance(conv, nn.Conv2d) and conv.kernel_size == (3, 3)
    ]


def test_output_stride_8():
    maps = DilatedResNet(depth=34).eval()(torch.randn(1, 3, 64, 96))
    assert [tuple(m.shape[1:]) for m in maps] == [(64, 16, 24), (128, 8, 12), (256, 8, 12), (512, 8, 12)]


@pytest.mark.parametrize(
    ('depth', 'third', 'fourth'),
    [(18, [1, 2, 2, 2], [2, 4, 4, 4]), (34, [1] + [2] * 11, [2] + [4] * 5), (50, [1] + [2] * 5, [2, 4, 4])],
)
def test_every_3x3_convolution_is_dilated(depth, third, fourth):
    model = DilatedResNet(depth=depth, **NARROW)
    assert [dilations(getattr(model, f'layer{stage}')) for stage in (3, 4)] == [third, fourth]
    assert {*dilations(model.layer1), *dilations(model.layer2)} == {1}


@torch.no_grad()
@pytest.mark.parametrize('depth', [18, 50])
def test_outputs_contain_those_of_the_strided_network(depth):
    """Every second pixel (every fourth in the last stage) equals a pixel of the strided network.

    The two networks pad with zeros at different distances. Only the centre weight of each 3x3 kernel is not 0 here, so
    the padding does not matter.
    """
    dilated, strided = DilatedResNet(depth=depth, **NARROW).eval(), ResNetV1c(depth=depth, **NARROW)
    strided.eval()  # mmseg's eval() returns None
    for conv in (m for m in strided.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)):
        conv.weight[:, :, [0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 0, 2, 0, 1, 2]] = 0
    dilated.load_state_dict(strided.state_dict(), strict=True)
    x = torch.randn(1, 3, 128, 128)
    ours, theirs = dilated(x), strided(x)
    for step, a, b in zip((1, 1, 2, 4), ours, theirs, strict=True):
        torch.testing.assert_close(a[..., ::step, ::step], b)


def test_the_stem_is_csails():
    convs = [layer for layer in DilatedResNet(depth=18).stem if isinstance(layer, nn.Conv2d)]
    assert [(conv.in_channels, conv.out_channels, conv.stride[0]) for conv in convs] == [
        (3, 64, 2),
        (64, 64, 1),
        (64, 128, 1),
    ]


@pytest.mark.parametrize(
    'given', [dict(strides=(1, 2, 2, 2)), dict(dilations=(1, 1, 1, 1)), dict(multi_grid=(1, 2, 4))]
)
def test_it_has_its_own_dilations(given):
    with pytest.raises(ConfigError, match=f'leave out {next(iter(given))}, or use ResNetV1c'):
        DilatedResNet(depth=18, **given)


def test_csails_names_of_the_stem_load():
    model = DilatedResNet(depth=18, **NARROW)
    here = {'stem.0': 'conv1', 'stem.1': 'bn1', 'stem.3': 'conv2', 'stem.4': 'bn2', 'stem.6': 'conv3', 'stem.7': 'bn3'}
    theirs = {}
    for name, value in model.state_dict().items():
        for layer, known in here.items():
            name = name.replace(f'{layer}.', f'{known}.') if name.startswith('stem') else name
        theirs[name] = torch.randn(value.shape) if value.is_floating_point() else value
    match = load_matching(model, theirs)
    assert match.missing == match.left_over == () and len(match.matched) > 100
    assert torch.equal(model.stem[6].weight, theirs['conv3.weight'])
    assert torch.equal(model.layer1[0].conv1.weight, theirs['layer1.0.conv1.weight'])
