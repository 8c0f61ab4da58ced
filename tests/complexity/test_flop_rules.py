import mmcv.cnn.bricks
import pytest
import torch
from torch import nn

from mmrev.complexity.flop_rules import layer_flops

MAP = (1, 4, 4, 6)  # 96 numbers
LAYERS = [  # layer, input, thop's count, mmcv's
    (nn.Conv2d(4, 6, 3, groups=2), (1, 4, 5, 7), 90 * 2 * 9, 90 * 2 * 9 + 90),
    (nn.Conv2d(4, 6, 3, groups=2, bias=False), (1, 4, 5, 7), 90 * 2 * 9, 90 * 2 * 9),
    (nn.Conv1d(4, 6, 2), (1, 4, 5), 24 * 4 * 2, 24 * 4 * 2 + 24),
    (mmcv.cnn.bricks.Conv2d(4, 6, 1), MAP, 144 * 4, 144 * 4 + 144),
    (nn.ConvTranspose2d(4, 6, 2, stride=3, groups=2), (1, 4, 3, 5), 672 * 2 * 4, 60 * 3 * 4 + 672),
    (nn.ConvTranspose2d(4, 6, 2, stride=2, bias=False), MAP, 576 * 4 * 4, 96 * 6 * 4),
    (nn.Linear(4, 5), (2, 3, 4), 30 * 4, 30 * 4),
    (nn.BatchNorm2d(4), MAP, 4 * 96, 2 * 96),
    (nn.BatchNorm2d(4, affine=False), MAP, 2 * 96, 96),
    (nn.InstanceNorm2d(4), MAP, 2 * 96, 96),
    (nn.GroupNorm(2, 4), MAP, 4 * 96, 2 * 96),
    (nn.LayerNorm(6), MAP, 4 * 96, 2 * 96),
    (nn.LayerNorm(6, elementwise_affine=False), MAP, 2 * 96, 96),
    (nn.MaxPool2d(2), MAP, 0, 96),
    (nn.AvgPool2d(2), MAP, 24, 96),
    (nn.AdaptiveMaxPool2d(1), MAP, 0, 96),
    (nn.AdaptiveAvgPool2d(1), MAP, 4 * (4 * 6 + 1), 96),
    (nn.AdaptiveAvgPool2d((2, 3)), MAP, 24 * (2 * 2 + 1), 96),
    (nn.Upsample(scale_factor=2), MAP, 0, 384),
    *((activation, MAP, 0, 96) for activation in (nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(), nn.PReLU(), nn.ELU())),
    (nn.Sigmoid(), MAP, 0, 0),
    (nn.Dropout(), MAP, 0, 0),
]


@pytest.mark.parametrize(('layer', 'shape', 'thop', 'mmcv'), LAYERS, ids=[str(layer) for layer, *_ in LAYERS])
def test_a_layer_counted_by_hand(layer, shape, thop, mmcv):
    x = torch.zeros(shape)
    y = layer.eval()(x)
    assert layer_flops('thop', layer, x, y) == thop
    assert layer_flops('mmcv', layer, x, y) == mmcv
