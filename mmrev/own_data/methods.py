"""The methods and backbones that a new config can have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Backbone:
    """A ResNet.

    Args:
        depth: Its number of layers.
        channels: Those of its four stages.
    """

    depth: int
    channels: Sequence[int]


BASIC, BOTTLENECK = (64, 128, 256, 512), (256, 512, 1024, 2048)
BACKBONES: Mapping[str, Backbone] = {
    'r18': Backbone(18, BASIC),
    'r50': Backbone(50, BOTTLENECK),
    'r101': Backbone(101, BOTTLENECK),
}
# method -> its title in the head of the config, for segmentation
METHODS: Mapping[str, str] = {
    'baseline': 'DeepLabv2-LargeFOV',
    'ran_n': 'RAN-n',
    'ran_s': 'RAN-s',
    'scale_attention': 'Scale attention',
    'ranet': 'RANet',
    'ra': 'DeepLabv2-LargeFOV on an RA-Net',
}
DETECTORS: Mapping[str, str] = {'ra': 'Faster R-CNN on an RA-Net', 'baseline': 'Faster R-CNN'}
METHOD_OF_TASK = {'segmentation': 'ran_n', 'detection': 'ra'}


def model_lines(method: str, backbone: Backbone, num_classes: int) -> list[str]:
    """Returns the arguments of a segmentation model after its backbone, as differences to ``_base_/own_data``.

    An argument that is too long for a line comes in two pieces.

    Example:
        >>> model_lines('baseline', BACKBONES['r18'], 3)
        ['decode_head=dict(in_channels=512, num_classes=3)']
    """
    common = f'in_channels={backbone.channels[-1]}, num_classes={num_classes}'
    head = f"decode_head=dict(type='mmrev.ReverseAttentionHead', mode='{{}}', {common})"
    if method == 'ran_n':
        return [head.format('normalized')]
    if method == 'ran_s':
        return [head.format('simple')]
    if method == 'ranet':
        return [
            f"decode_head=dict(_delete_=True, type='mmrev.RegionAttentionHead', {common}",
            "in_index=3, channels=512, norm_cfg=dict(type='BN'), align_corners=True)",
        ]
    fusion = [
        f"scales=(1.0, 0.5), fusion=dict(_delete_=True, type='mmrev.ScaleAttentionHead', num_classes={num_classes}",
        f"dilations=(12, 2), in_channels={list(backbone.channels)}, norm_cfg=dict(type='BN'), align_corners=True)",
    ]
    return [*(fusion if method == 'scale_attention' else []), f'decode_head=dict({common})']


def backbone_line(method: str, backbone: Backbone, weights: str | None, prefix: str | None) -> str:
    """Returns the line of the backbone.

    Example:
        >>> backbone_line('ra', BACKBONES['r50'], None, None)
        "backbone=dict(type='mmrev.RAResNet', depth=50, init_cfg=None)"
    """
    kind = "type='mmrev.RAResNet', " if method == 'ra' else ''
    inside = f", prefix='{prefix}'" if prefix else ''
    init = f'dict(checkpoint={weights!r}{inside})' if weights else 'None'
    return f'backbone=dict({kind}depth={backbone.depth}, init_cfg={init})'
