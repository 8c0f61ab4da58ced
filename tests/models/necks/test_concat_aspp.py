import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mmrev.registry import MODELS

SIZES = ((24, 33), (12, 17), (6, 9))


def neck(**changes):
    torch.manual_seed(0)
    cfg = dict(type='mmrev.ConcatASPP', in_channels=(3, 4, 5), inner_channels=6, channels=7, norm_cfg=dict(type='BN'))
    return MODELS.build({**cfg, **changes})


def features():
    return [torch.randn(2, width, *size) for width, size in zip((3, 4, 5), SIZES, strict=True)]


def test_defaults():
    model = neck(inner_channels=256, channels=512)
    assert MODELS.build(dict(type='mmrev.ConcatASPP', in_channels=(3,))).bottleneck.conv.weight.shape == (
        512,
        5 * 256,
        1,
        1,
    )
    assert [branch.conv.dilation[0] for branch in model.aspp] == [1, 12, 24, 36]


def test_maps_are_resized_by_their_corners_if_asked():
    maps = features()
    apart, together = neck().eval(), neck(align_corners=True).eval()
    assert not torch.allclose(apart(maps)[0], together(maps)[0])
    seen = []
    together.pool.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    together(maps)
    expected = [F.interpolate(part, SIZES[0], mode='bilinear', align_corners=True) for part in maps]
    torch.testing.assert_close(seen[0], torch.cat(expected, 1))


@pytest.mark.parametrize('size_of', range(3))
def test_one_map_in_the_size_of_the_chosen_one(size_of):
    model, maps = neck(size_of=size_of), features()
    (out,) = model(maps)
    assert out.shape == (2, 7, *SIZES[size_of])
    out.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_dilations_and_pooling_reach_as_far_as_they_say():
    model = neck(in_channels=(1,), dilations=(1, 12), norm_cfg=None, act_cfg=None)
    model.pool[1].conv.weight.data.zero_()
    image = torch.zeros(1, 1, 31, 31, requires_grad=True)
    model([image])[0][0, 0, 15, 15].backward()
    reached = {(y - 15, x - 15) for _, _, y, x in image.grad.nonzero().tolist()}
    assert reached == {(y, x) for y in (-12, 0, 12) for x in (-12, 0, 12)}
    nn.init.ones_(model.pool[1].conv.weight)
    image.grad = None
    model([image])[0][0, 0, 15, 15].backward()
    assert image.grad.count_nonzero() == image.numel()
