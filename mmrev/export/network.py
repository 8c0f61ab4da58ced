"""The network of a trained model of any host, as one function of images.

Shapes: B batch, N classes, H x W the images.
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from mmrev.errors import ConfigError

from .dense_regions import NEEDS_SIZE
from .pooling import with_exact_pooling

OUTPUTS = ('scores', 'probabilities', 'labels')


class Network(nn.Module):
    """A segmentor, a classifier or the backbone of a detector, from images to what it says about them.

    Args:
        model: The trained model.
        task: ``'segmentation'``, ``'classification'`` or ``'detection'`` (the backbone alone).
        output: ``'scores'`` (before the softmax), ``'probabilities'`` or ``'labels'``.
        uint8: Whether the images are RGB, 0 to 255, uint8. Otherwise they are normalised and in the order of the
            network's channels.

    Shape:
        images [B, 3, H, W] -> scores [B, N, H, W] of a segmentor, [B, N] of a classifier, or a map of each stage.
    """

    def __init__(self, model: nn.Module, task: str, output: str = 'scores', uint8: bool = False) -> None:
        super().__init__()
        self.mean: Tensor
        self.std: Tensor
        self.model, self.task, self.output, self.uint8 = model, task, output, uint8
        self.channels, mean, std = normalization(model)
        self.register_buffer('mean', torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        if self.uint8:
            images = (images if self.channels == 'RGB' else images.flip(1)).float()
            images = (images - self.mean) / self.std
        model: Any = self.model
        if self.task == 'detection':
            maps = model.backbone(images)
            return (maps,) if isinstance(maps, Tensor) else tuple(maps)
        if self.task == 'classification':
            return self._answer(model(images, mode='tensor'))
        size = images.shape[2:]
        return self._answer(model.encode_decode(images, [dict(img_shape=size, pad_shape=size, ori_shape=size)]))

    def _answer(self, scores: Tensor) -> Tensor:
        single = scores.shape[1] == 1
        if self.output == 'scores':
            return scores
        if self.output == 'probabilities':
            return scores.sigmoid() if single else scores.softmax(1)
        if single:
            head: Any = getattr(self.model, 'decode_head', None)
            return (scores[:, 0].sigmoid() > getattr(head, 'threshold', 0.5)).long()
        return scores.argmax(1)


def normalization(model: nn.Module) -> tuple[str, list[float], list[float]]:
    """Returns the order of the network's channels, and the mean and deviation by which a channel is normalised."""
    part: Any = getattr(model, 'data_preprocessor', None)
    # the hosts read BGR with OpenCV
    turned = getattr(part, '_channel_conversion', False) or getattr(part, 'to_rgb', False)
    if not getattr(part, '_enable_normalize', False):
        return 'RGB' if turned else 'BGR', [0.0] * 3, [1.0] * 3
    return 'RGB' if turned else 'BGR', part.mean.flatten().tolist(), part.std.flatten().tolist()


def require_exportable(
    model: nn.Module, task: str, file_format: str, output: str = 'scores', fixed: bool = False
) -> None:
    """Checks that a model can be exported.

    Args:
        model: The model.
        task: As in :class:`Network`.
        file_format: ``'onnx'`` or ``'torch-export'``.
        output: As in :class:`Network`.
        fixed: Whether the images have one size.

    Raises:
        ConfigError: It cannot.
    """
    for part in model.modules():
        kind = type(part).__name__
        if kind == 'RegionAttentionHead':
            if getattr(part, 'layout', '') == 'authors':
                raise ConfigError(
                    "layout='authors' of RegionAttentionHead convolves lists whose length depends on the image, so "
                    'it cannot be exported: use the checkpoint, or train the default layout'
                )
            if file_format == 'onnx' and not fixed:
                raise ConfigError(NEEDS_SIZE)
    test_cfg: Any = getattr(model, 'test_cfg', None) or {}
    if task == 'segmentation' and output != 'scores' and test_cfg.get('mode') == 'slide':
        raise ConfigError(
            "mmseg averages the scores of windows (test_cfg mode='slide'): use --output scores, or predict the whole "
            'image with --cfg-options model.test_cfg.mode=whole'
        )
    preprocessor = getattr(model, 'data_preprocessor', None)
    pads = getattr(preprocessor, 'test_cfg', None) or getattr(preprocessor, 'pad_size_divisor', 1) > 1
    if pads and task != 'detection':  # of a detector, only the backbone is exported
        raise ConfigError(
            "the config's data_preprocessor pads images, which an exported network does not: remove its test_cfg and "
            'pad_size_divisor'
        )


def prepared(network: nn.Module) -> nn.Module:
    """Returns a copy in evaluation mode on the CPU, whose layers are right at every size once exported."""
    return with_exact_pooling(copy.deepcopy(network)).cpu().eval()
