"""Parameters and FLOPs of a config's model for one image, counted as in tables 2, 3 and 4 of the RA-Net paper.

The model runs on torch's meta device, where tensors have a shape and no numbers.
"""

from collections.abc import Callable, Iterable, Iterator
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
from mmrev.errors import ConfigError, UserError, require_choice
from mmrev.hosts import HOSTS

from .flop_rules import RULES, layer_flops

DETECTOR_INPUT = (800, 1280)
# the RoIs of an image, as in mmdet 2's own count
ROIS = {'bbox': 1000, 'mask': 100}
IMAGENET_CLASSES = 1000


@dataclass(frozen=True)
class Complexity:
    """The size and cost of one model.

    Args:
        shape: The height and width of the image.
        thop: The FLOPs by thop's rule (see :mod:`mmrev.complexity.flop_rules`).
        mmcv: The FLOPs by mmcv's rule.
        params: The number of all parameters.
        trainable: The number of trainable parameters.
        with_classifier: The parameters as table 4 counts them, for a detector: the trainable ones plus the ImageNet
            classifier of its pretrained backbone. None for other models.

    Example:
        >>> Complexity((224, 224), thop=1_824, mmcv=1_826, params=11_690, trainable=11_690).thop
        1824
    """

    shape: tuple[int, int]
    thop: int
    mmcv: int
    params: int
    trainable: int
    with_classifier: int | None = None


def complexity(cfg: Config, shape: tuple[int, int] | None = None) -> Complexity:
    """Counts the parameters and FLOPs of a config's model in testing.

    The FLOPs are those of the model's tensor mode. A segmentor runs its backbone, neck and decode head at all scales.
    Its auxiliary heads add parameters and no FLOPs. Test-time augmentation and the CRF are left out. A two-stage
    detector gets 1,000 RoIs, and its mask head gets 100. RoIAlign costs nothing.

    Args:
        cfg: A config of any host. It is not changed.
        shape: The height and width of the image. None takes :func:`input_shape` of the config.

    Raises:
        ConfigError: The config does not tell the size of the input, and ``shape`` is None.
        UserError: The model cannot be counted.

    Example:
        >>> cfg = Config(dict(default_scope='mmpretrain', model=dict(type='ResNet', depth=18)))
        >>> complexity(cfg, (64, 64)).params
        11176512
    """
    height, width = shape or input_shape(cfg)
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope')):
        # built on the CPU: constructors that read a tensor (Swin's and ConvNeXt's drop rates) fail on the meta device
        model = MODELS.build(deepcopy(cfg.model))
        if _runs_on_meta(model):
            model = model.to('meta')
        flops = {rule: count(model, (height, width), rule) for rule in RULES}
        classifier = _classifier_size(model, (height, width)) if _is_detection(cfg) else None
    params = sum(parameter.numel() for parameter in model.parameters())
    trainable = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    return Complexity(
        (height, width),
        **flops,
        params=params,
        trainable=trainable,
        with_classifier=None if classifier is None else trainable + classifier,
    )


def count(model: nn.Module, shape: tuple[int, int], rule: str = 'thop') -> int:
    """Counts the FLOPs of a model in eval mode on one RGB image. The model is left as it was.

    Args:
        model: An OpenMMLab model, or any module that takes a tensor [1, 3, H, W]. The meta device is fastest.
        shape: The height and width of the image.
        rule: ``'thop'`` or ``'mmcv'`` (see :mod:`mmrev.complexity.flop_rules`).

    Raises:
        ConfigError: The rule is unknown.
        UserError: The model does not run on such an image, or it needs labels too.

    Example:
        >>> count(nn.Conv2d(3, 8, kernel_size=1), (4, 5))
        480
    """
    require_choice('FLOP rule', rule, RULES)
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
    """Finds the height and width of the images that a config's model is made for.

    A detector takes 800 x 1280. For other models, the first that the config has counts: the size that the preprocessor
    pads to, ``crop_size``, the crop of the test pipeline, or the crop of the training pipeline.

    Raises:
        ConfigError: The config has none of these sizes.

    Example:
        >>> input_shape(Config(dict(model=dict(), crop_size=(32, 48))))
        (32, 48)
    """
    if _is_detection(cfg):
        return DETECTOR_INPUT
    preprocessor = cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor') or {}
    for size in (preprocessor.get('size'), cfg.get('crop_size'), *_crops(cfg)):
        if size:
            return (size, size) if isinstance(size, int) else tuple(size)
    raise ConfigError('the config has no crop size: give the height and width of the input with --shape')


def _is_detection(cfg: Config) -> bool:
    host = HOSTS.get(cfg.get('default_scope'))
    return host is not None and host.task == 'detection'


def _runs_on_meta(model: nn.Module) -> bool:
    layers = {type(layer).__name__ for layer in model.modules()}
    return not any(layers.intersection(host.heads_off_meta) for host in HOSTS.values())


def _crops(cfg: Config) -> Iterator[Any]:
    """Yields the sizes of the pipelines' crops. RandomResizedCrop calls its size ``scale``."""
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


def _forward_two_stage(model: Any, images: Tensor) -> None:
    """Runs a detector as mmdet 2's ``forward_dummy`` did. RoIAlign has no meta device, so RoI features are made up."""
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
        extractors, stages = _as_list(getattr(heads, f'{name}_roi_extractor')), _as_list(getattr(heads, f'{name}_head'))
        for extractor, head in zip(extractors, stages, strict=True):
            features = images.new_empty(rois, extractor.out_channels, *extractor.roi_layers[0].output_size)
            head(heads.shared_head(features) if heads.with_shared_head else features)


def _as_list(stages: nn.Module) -> Iterable[Any]:
    """A cascade has one module for each of its stages, other detectors have one module."""
    return stages if isinstance(stages, nn.ModuleList) else [stages]


def _classifier_size(model: Any, shape: tuple[int, int]) -> int:
    """Counts the parameters of a linear ImageNet classifier on the backbone's last feature map."""
    width = _run(model.backbone, model, shape)[-1].shape[1]
    return (width + 1) * IMAGENET_CLASSES


def _run(forward: Callable[[Tensor], Any], model: nn.Module, shape: tuple[int, int]) -> Any:
    try:
        with _evaluating(model), torch.no_grad():
            return forward(torch.empty(1, 3, *shape, device=next(model.parameters()).device))
    except UserError:
        raise
    except Exception as error:  # a foreign model may raise anything
        reason = f'{type(error).__name__}: {error}'.splitlines()[0].rstrip(': ')
        raise UserError(
            f'{type(model).__name__} cannot be counted: it does not run in tensor mode on an image of '
            f'{shape[0]} x {shape[1]} without labels ({reason})'
        ) from error


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    # layer by layer: after eval(), train() of a model with frozen norm layers would not restore their modes
    modes = [(layer, layer.training) for layer in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for layer, training in modes:
            layer.training = training
