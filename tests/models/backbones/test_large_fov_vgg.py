import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import vgg11, vgg16

from mmrev.engine.checkpoints import load_matching
from mmrev.errors import ConfigError
from mmrev.models import LargeFOVVGG


def build(**kwargs):
    return LargeFOVVGG(**{'fc_channels': 16, **kwargs}).eval()


def test_feature_maps_are_deeplabs():
    maps = build(depth=11, out_indices=range(6))(torch.randn(1, 3, 65, 97))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (64, 65, 97),
        (128, 33, 49),
        (256, 17, 25),
        (512, 9, 13),
        (512, 9, 13),
        (16, 9, 13),
    ]
    assert [m.shape[1] for m in build(depth=11)(torch.randn(1, 3, 9, 9))] == [256, 512, 512, 16]


def test_layers_are_deeplabs():
    """The reference runs layer by layer, as Chen et al. (2015) describe, with torchvision's weights."""
    ours, theirs, x = build(depth=16), vgg16(weights=None).features.eval(), torch.randn(1, 3, 65, 65)
    assert load_matching(ours, {f'features.{name}': w for name, w in theirs.state_dict().items()}).left_over == ()
    expected, convs, stage = [], 0, 0
    y = x
    for layer in theirs:
        if isinstance(layer, nn.Conv2d):
            dilation = 2 if stage == 4 else 1
            y, convs = F.conv2d(y, layer.weight, layer.bias, padding=dilation, dilation=dilation).relu(), convs + 1
        elif isinstance(layer, nn.MaxPool2d):
            expected.append(y)
            y, stage = F.max_pool2d(y, 3, 2 if stage < 3 else 1, 1), stage + 1
    y = F.conv2d(F.avg_pool2d(y, 3, 1, 1), ours.fc6.weight, ours.fc6.bias, padding=12, dilation=12).relu()
    expected = [*expected[2:], F.conv2d(y, ours.fc7.weight, ours.fc7.bias).relu()]
    assert convs == 13
    for a, b in zip(ours(x), expected, strict=True):
        torch.testing.assert_close(a, b)


def test_convolutions_of_imagenet_load():
    torchvision = {name: value for name, value in vgg11(weights=None).state_dict().items() if 'features' in name}
    match = load_matching(model := build(depth=11), torchvision)
    assert len(match.matched) == 16 and match.left_over == match.reshaped == ()
    assert match.missing == ('fc6.bias', 'fc6.weight', 'fc7.bias', 'fc7.weight')
    assert all(torch.equal(model.state_dict()[name], value) for name, value in torchvision.items())


@torch.no_grad()
def test_the_linear_layers_of_a_whole_vgg_are_thinned_out():
    whole = vgg11(weights=None)
    model = build(depth=11, fc_channels=1024)
    prefixed = {f'backbone.{name}': value for name, value in whole.state_dict().items()}
    match = load_matching(nn.ModuleDict({'backbone': model}), prefixed)
    assert match.missing == match.reshaped == () and len(match.left_over) == 2  # left over: the classifier fc8
    first, second = whole.classifier[0], whole.classifier[3]
    for unit, channel, row, column in [(0, 0, 0, 0), (5, 300, 2, 1), (1023, 511, 1, 2)]:
        pixel = channel * 49 + 3 * row * 7 + 3 * column
        assert model.fc6.weight[unit, channel, row, column] == first.weight[4 * unit, pixel]
        assert model.fc7.weight[unit, channel, 0, 0] == second.weight[4 * unit, 4 * channel]
        assert model.fc6.bias[unit] == first.bias[4 * unit] and model.fc7.bias[unit] == second.bias[4 * unit]


def test_its_own_checkpoints_load_strictly():
    model, other, x = build(depth=11), build(depth=11), torch.randn(1, 3, 33, 33)
    other.load_state_dict(model.state_dict(), strict=True)
    assert torch.equal(model(x)[-1], other(x)[-1])


def test_defaults_are_deeplabs():
    model = LargeFOVVGG()
    assert model.fc6.weight.shape == (1024, 512, 3, 3) and model.fc7.weight.shape == (1024, 1024, 1, 1)
    assert model.fc6.dilation == (12, 12) and model.after_fc[1].p == 0.5
    assert sum(isinstance(layer, nn.Conv2d) for layer in model.features) == 13


def test_dropout_after_both_linear_layers():
    model, x = build(depth=11, dropout_ratio=1.0), torch.randn(1, 3, 33, 33)
    assert model(x)[-1].any()
    assert not model.train()(x)[-1].any()


def test_frozen_stages():
    model = build(depth=16, frozen_stages=2)  # frozen when built: a distributed wrapper looks only once
    frozen = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    assert frozen == [f'features.{index}.{part}' for index in (0, 2, 5, 7) for part in ('weight', 'bias')]
    assert frozen == [name for name, p in model.train().named_parameters() if not p.requires_grad]
    assert all(parameter.requires_grad for parameter in build().parameters())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(depth=17), r'LargeFOVVGG\(depth=17\): expected 11, 13, 16 or 19'),
        (dict(frozen_stages=6), r'\(frozen_stages=6\): expected an integer of at least 0 and at most 5'),
        (dict(out_indices=(6,)), r'\(out_indices=\(6,\)\): expected a list of integers of at least 0 and at most 5'),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ConfigError, match=message):
        LargeFOVVGG(**options)
