"""Conversion of PyTorch ports of DeepLabv2's Caffe ResNet-101 to the names of our models.

The ports name the backbone as torchvision does. A port that wraps the network for multi-scale inputs puts ``Scale.``
before these names. The summed classifiers are ``layer5.conv2d_list.<i>``. The backbone is Caffe's: a bottleneck has
its stride in the first 1x1 convolution (``style='caffe'``). The input is BGR minus the mean
(104.008, 116.669, 122.675).
"""

import re

from torch import Tensor

from .checkpoints import StateDict

_BACKBONE = re.compile(r'(conv1|bn1|layer[1-4])\.')
_CLASSIFIER = re.compile(r'layer5\.conv2d_list\.(\d+)\.(weight|bias)$')


def is_deeplabv2_port(state: StateDict) -> bool:
    """Returns whether a state dict has the classifiers or the wrapper of a port.

    Example:
        >>> is_deeplabv2_port({'Scale.conv1.weight': Tensor()}), is_deeplabv2_port({'conv1.weight': Tensor()})
        (True, False)
    """
    return any(name.startswith(('Scale.', 'layer5.conv2d_list.')) for name in state)


def convert_deeplabv2(state: StateDict) -> dict[str, Tensor]:
    """Renames the backbone of a port, and renames its classifiers to those of ``ASPPV2Head``.

    Other names, such as ``fc.*``, are dropped.

    Example:
        >>> list(convert_deeplabv2({'Scale.layer1.0.bn1.bias': Tensor(), 'layer5.conv2d_list.3.bias': Tensor()}))
        ['backbone.layer1.0.bn1.bias', 'decode_head.conv_seg.3.bias']
    """
    converted = {}
    for name, value in state.items():
        name = name.removeprefix('module.').removeprefix('Scale.')
        if _BACKBONE.match(name):
            converted[f'backbone.{name}'] = value
        elif _CLASSIFIER.match(name):
            converted[_CLASSIFIER.sub(r'decode_head.conv_seg.\1.\2', name)] = value
    return converted
