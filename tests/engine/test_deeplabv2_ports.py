from collections import OrderedDict

import pytest
import torch
from mmseg.models.backbones import ResNet

from mmrev.engine import convert_deeplabv2
from mmrev.engine.deeplabv2_ports import is_deeplabv2_port
from mmrev.models import ASPPV2Head


def caffe_resnet() -> ResNet:
    return ResNet(depth=50, base_channels=2, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), style='caffe')


def port(prefix: str, num_classes: int = 5) -> OrderedDict:
    """The file of a port, with values that occur once."""
    shapes = {name: value for name, value in caffe_resnet().state_dict().items() if 'num_batches' not in name}
    for index in range(4):
        shapes[f'layer5.conv2d_list.{index}.weight'] = torch.empty(num_classes, 64, 3, 3)
        shapes[f'layer5.conv2d_list.{index}.bias'] = torch.empty(num_classes)
    return OrderedDict((prefix + name, torch.randn(value.shape)) for name, value in shapes.items())


@pytest.mark.parametrize('prefix', ['Scale.', '', 'module.', 'module.Scale.'])
def test_the_backbone_loads_strictly_and_the_classifiers_into_aspp(prefix):
    file = port(prefix)
    assert is_deeplabv2_port(OrderedDict((name.removeprefix('module.'), value) for name, value in file.items()))
    converted = convert_deeplabv2(file)
    assert len(converted) == len(file)

    backbone, head = caffe_resnet(), ASPPV2Head(in_channels=64, num_classes=5)
    for module, name in ((backbone, 'backbone.'), (head, 'decode_head.')):
        module.load_state_dict(
            {key.removeprefix(name): value for key, value in converted.items() if key.startswith(name)}, strict=True
        )
    assert torch.equal(backbone.layer3[1].conv2.weight, file[f'{prefix}layer3.1.conv2.weight'])
    assert torch.equal(head.conv_seg[2].bias, file[f'{prefix}layer5.conv2d_list.2.bias'])


def test_what_is_neither_is_dropped():
    assert convert_deeplabv2({'Scale.fc.weight': torch.ones(1), 'optimizer': torch.ones(1)}) == {}


@pytest.mark.parametrize('names', [['conv1.weight', 'fc.weight'], ['backbone.conv1.weight'], []])
def test_other_files_are_no_ports(names):
    assert not is_deeplabv2_port(dict.fromkeys(names, torch.ones(1)))
