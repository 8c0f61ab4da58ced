"""The description inside an exported file: classes, colours, preprocessing, method and config."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config

from mmrev.prediction.classes import Classes
from mmrev.version import __version__

from .network import Network

VERSION = 1  # of the description
# the steps that `mmrev predict` repeats without OpenMMLab, and their arguments with mmcv's defaults
STEPS: dict[str, dict[str, Any]] = {
    'Resize': dict(scale=None, scale_factor=None, keep_ratio=False, backend='cv2', interpolation='bilinear'),
    'ResizeEdge': dict(scale=None, edge='short', backend='cv2', interpolation='bilinear'),
    'CenterCrop': dict(crop_size=None),
}
NOTHING = ('Load', 'Pack', 'Labels')  # steps with one of these in their name do not change the image


def describe(cfg: Config, network: Network, classes: Classes, pipeline: Sequence[dict]) -> dict[str, Any]:
    """Describes an exported network in JSON's types."""
    test_cfg = cfg.model.get('test_cfg') or {}
    return dict(
        format=VERSION,
        mmrev=__version__,
        task=network.task,
        methods=methods_of(cfg.model),
        output=network.output,
        classes=list(classes.names),
        palette=[list(map(int, color)) for color in classes.palette],
        input=dict(
            uint8=network.uint8,
            channels='RGB' if network.uint8 else network.channels,
            mean=network.mean.flatten().tolist(),
            std=network.std.flatten().tolist(),
        ),
        steps=steps_of(pipeline),
        mode=test_cfg.get('mode', 'whole'),
        crop_size=list(test_cfg.get('crop_size') or []),
        stride=list(test_cfg.get('stride') or []),
        align_corners=bool(getattr(network.model, 'align_corners', False)),
        threshold=getattr(getattr(network.model, 'decode_head', None), 'threshold', None),
        multi_label='MultiLabel' in type(getattr(network.model, 'head', None)).__name__,
        config=cfg.pretty_text,
    )


def steps_of(pipeline: Sequence[dict]) -> list[dict]:
    """Returns the steps of a test pipeline that change the image, with all their arguments.

    Example:
        >>> steps_of([dict(type='LoadImageFromFile'), dict(type='CenterCrop', crop_size=224)])
        [{'type': 'CenterCrop', 'crop_size': 224}]
    """
    steps = []
    for step in pipeline:
        name = str(step['type']).rpartition('.')[2]
        if any(part in name for part in NOTHING):
            continue
        given = {key: value for key, value in step.items() if key != 'type'}
        steps.append(dict(type=name, **{**STEPS.get(name, {}), **given}))
    return steps


def methods_of(model: Any) -> list[str]:
    """Lists the parts of mmrev in the config of a model.

    Example:
        >>> methods_of(dict(type='ImageClassifier', backbone=dict(type='mmrev.RAResNet', depth=50)))
        ['RAResNet']
    """
    if isinstance(model, Mapping):
        name = str(model.get('type', ''))
        found = [name.removeprefix('mmrev.')] if name.startswith('mmrev.') else []
        return found + [part for value in model.values() for part in methods_of(value)]
    return [part for value in model for part in methods_of(value)] if isinstance(model, list | tuple) else []
