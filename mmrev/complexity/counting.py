"""Parameters and FLOPs of a config's model for one image, as the RA-Net paper's tables 2, 3 and 4 have them.

The model runs on torch's meta device: shapes without numbers.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import MODELS, DefaultScope
from torch import Tensor, nn

from mmrev.datasets.checks import leaf_datasets
from mmrev.errors import ConfigError, UserError

from .flop_rules import layer_flops

DETECTOR_INPUT = (800, 1280)
# RoIs of an image, as in mmdet 2's own count
ROIS = {'bbox': 1000, 'mask': 100}
IMAGENET_CLASSES = 1000
# mmseg's, whose compiled operator does not know the meta device
WITHOUT_META = ('PSAHead',)


@dataclass(frozen=True)
class Complexity:
    """Numbers of one model: FLOPs by the rules of :mod:`mmrev.complexity.flop_rules`, parameters one by one."""

    shape: tuple[int, int]  # height and width of the image
    thop: int
    mmcv: int
    params: int
    trainable: int
    # of a detector, table 4's: the trainable ones and the ImageNet classifier that its backbone comes from
    with_classifier: int | None = None


def complexity(cfg: Config, shape: tuple[int, int] | None = None) -> Complexity:
    """Counts a config's model, as it is in testing.

    FLOPs are of the model's tensor mode: of a segmentor backbone, neck and decode head without the auxiliary heads
    (whose parameters do count), at all its scales; no test-time augmentation and no CRF. A two-stage detector has
    1,000 RoIs and, with a mask head, 100 of them go there; RoIAlign is free.

    Args:
        cfg: A config of mmseg, mmpretrain or mmdet; it is not changed.
        shape: Height and width; :func:`input_shape` of the config by default.

    Raises:
        ConfigError: The config does not tell the input's size, and there is no ``shape``.
        UserError: The model cannot be counted.
    """
    shape = tuple(shape) if shape else input_shape(cfg)
    scope = cfg.get('default_scope')
    with DefaultScope.overwrite_default_scope(scope):
        # built on the CPU: constructors that read a tensor (Swin's and ConvNeXt's drop rates) fail on the meta device
        model = MODELS.build(deepcopy(cfg.model))
        if not any(type(layer).__name__ in WITHOUT_META for layer in model.modules()):
            model = model.to('meta')
        flops = {rule: count(model, shape, rule) for rule in ('thop', 'mmcv')}
        classifier = _classifier_size(model, shape) if scope == 'mmdet' else None
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    trainable = sum(size for size, learned in sizes if learned)
    return Complexity(
        shape,
        **flops,
        params=sum(size for size, _ in sizes),
        trainable=trainable,
        with_classifier=None if classifier is None else trainable + classifier,
    )


def count(model: nn.Module, shape: tuple[int, int], rule: str = 'thop') -> int:
    """FLOPs of a model on one RGB image of this height and width, in eval mode; the model is left as it was.

    Args:
        model: One of OpenMMLab's, or any that takes a tensor [1, 3, H, W]; best on the meta device.
        shape: Height and width.
        rule: ``'thop'`` or ``'mmcv'``: see :mod:`mmrev.complexity.flop_rules`.

    Raises:
        UserError: The model does not run on this input (or not without images and labels).
    """
    flops: list[int] = []

    def record(layer: nn.Module, inputs: tuple, output: Any) -> None:
        if inputs and isinstance(output, Tensor):
            flops.append(layer_flops(rule, layer, inputs[0], output))

    handles = [layer.register_forward_hook(record) for layer in model.modules()]
    try:
        _run(partial(_forward, model), model, shape)
    finally:
        for handle in handles:
            handle.remove()
    return sum(flops)


def input_shape(cfg: Config) -> tuple[int, int]:
    """The height and width that a config's model is made for.

    A detector's is 800 x 1280, any other's the size that its preprocessor pads to, ``crop_size``, or the crop of its
    test or training pipeline.

    Raises:
        ConfigError: There is none of these.
    """
    if cfg.get('default_scope') == 'mmdet':
        return DETECTOR_INPUT
    preprocessor = cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor') or {}
    sizes = [preprocessor.get('size'), cfg.get('crop_size'), *_crops(cfg)]
    size = next(filter(None, sizes), None)
    if size is None:
        raise ConfigError('the config has no crop size: give the height and width of the input with --shape')
    return (size, size) if isinstance(size, int) else tuple(size)


def _crops(cfg: Config) -> Iterator[Any]:
    """Sizes of the pipelines' crops; RandomResizedCrop has it as its scale."""
    for loader in filter(None, (cfg.get('test_dataloader'), cfg.get('train_dataloader'))):
        for dataset in leaf_datasets(loader['dataset']):
            for step in dataset.get('pipeline', ()):
                yield step.get('crop_size') or (step['type'] == 'RandomResizedCrop' and step.get('scale'))


def _forward(model: nn.Module, images: Tensor) -> None:
    if hasattr(model, 'roi_head'):
        _forward_two_stage(model, images)
    elif isinstance(model, BaseModel):
        model(images, mode='tensor')
    else:
        model(images)


def _forward_two_stage(model: nn.Module, images: Tensor) -> None:
    """What mmdet 2's ``forward_dummy`` ran, with made-up RoI features: RoIAlign does not know the meta device."""
    heads = model.roi_head
    if type(heads).__name__ not in ('StandardRoIHead', 'CascadeRoIHead') or hasattr(model, 'semantic_head'):
        raise UserError(
            f'a {type(model).__name__} with a {type(heads).__name__} cannot be counted: expected a '
            'StandardRoIHead or a CascadeRoIHead, and no semantic_head'
        )
    pyramid = model.extract_feat(images)
    if model.with_rpn:
        model.rpn_head(pyramid)
    for name, rois in ROIS.items():
        if not getattr(heads, f'with_{name}'):
            continue
        stages = [getattr(heads, f'{name}_{part}') for part in ('roi_extractor', 'head')]
        # a cascade has a list of each
        for extractor, head in zip(
            *(part if isinstance(part, nn.ModuleList) else [part] for part in stages), strict=True
        ):
            features = images.new_empty(rois, extractor.out_channels, *extractor.roi_layers[0].output_size)
            head(heads.shared_head(features) if heads.with_shared_head else features)


def _classifier_size(model: nn.Module, shape: tuple[int, int]) -> int:
    """Parameters of a linear ImageNet classifier on the backbone's last feature map."""
    width = _run(model.backbone, model, shape)[-1].shape[1]
    return (width + 1) * IMAGENET_CLASSES


def _run(forward: Callable[[Tensor], Any], model: nn.Module, shape: tuple[int, int]) -> Any:
    try:
        with _evaluating(model), torch.no_grad():
            return forward(torch.empty(1, 3, *shape, device=next(model.parameters()).device))
    except UserError:
        raise
    except Exception as error:  # any that somebody else's model may raise
        reason = f'{type(error).__name__}: {error}'.splitlines()[0].rstrip(': ')
        raise UserError(
            f'{type(model).__name__} cannot be counted: it does not run in tensor mode on an image of '
            f'{shape[0]} x {shape[1]} without labels ({reason})'
        ) from error


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    # layer by layer: train() of a model with frozen norm layers would not give back what was there
    modes = [(layer, layer.training) for layer in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for layer, training in modes:
            layer.training = training
