"""From PyTorch ports of DeepLabv2's Caffe ResNet-101 to the names of this stack.

The ports share torchvision's names for the backbone, below ``Scale.`` where the port wraps the network for multi-scale
inputs, and call the summed classifiers ``layer5.conv2d_list.<i>``. The backbone is Caffe's: stride on the first 1x1
convolution of a bottleneck (``style='caffe'``), BGR input less the mean (104.008, 116.669, 122.675).
"""

import re

from torch import Tensor

from .checkpoints import StateDict

_BACKBONE = re.compile(r'(conv1|bn1|layer[1-4])\.')
_CLASSIFIER = re.compile(r'layer5\.conv2d_list\.(\d+)\.(weight|bias)$')


def is_deeplabv2_port(state: StateDict) -> bool:
    """Whether the names are those of a port: known by its classifiers or its wrapper."""
    return any(name.startswith(('Scale.', 'layer5.conv2d_list.')) for name in state)


def convert_deeplabv2(state: StateDict) -> dict[str, Tensor]:
    """``Scale.layer1.*`` or ``layer1.*`` -> ``backbone.layer1.*``; the classifiers -> those of ``ASPPV2Head``.

    Names of neither kind are dropped (``fc.*``).
    """
    converted = {}
    for name, value in state.items():
        name = name.removeprefix('module.').removeprefix('Scale.')
        if _BACKBONE.match(name):
            converted[f'backbone.{name}'] = value
        elif found := _CLASSIFIER.match(name):
            converted[f'decode_head.conv_seg.{found[1]}.{found[2]}'] = value
    return converted
