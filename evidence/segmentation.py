"""Segmentation networks that are trained for a few hundred steps and scored on CamVid.

Shapes: B batch, N classes, H x W the image, h x w the feature map.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import mobilenet_v2

from mmrev.models import MultiScaleEncoderDecoder

from .camvid import CLASSES, IGNORED, Split
from .devices import device_of

BATCH = 4
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # RGB


class HeadOnly(nn.Module):
    """A decode head on feature maps that come from the disk."""

    def __init__(self, head: BaseDecodeHead) -> None:
        super().__init__()
        self.head = head

    def features(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        """Returns the feature maps under the head."""
        return inputs

    def loss(self, inputs: Sequence[Tensor], samples: list[SegDataSample]) -> dict[str, Tensor]:
        return self.head.loss(self.features(inputs), samples, {})

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        return self.head(self.features(inputs))


class MobileNetSegmentor(HeadOnly):
    """Blocks of a MobileNetV2 and a decode head. The statistics of batch norm are frozen, as in the papers.

    Args:
        head: The decode head.
        weights: torchvision's MobileNetV2 on ImageNet, a state dict.
    """

    blocks: ClassVar[slice]  # of torchvision's
    backbone: Any  # torchvision has no types

    def __init__(self, head: BaseDecodeHead, weights: dict[str, Tensor]) -> None:
        super().__init__(head)
        self.backbone = _mobilenet(weights)[self.blocks]

    def train(self, mode: bool = True) -> 'MobileNetSegmentor':
        super().train(mode)
        self.backbone.eval()  # batch norm: the backbone has no other layer that this changes
        return self


class SmallSegmentor(MobileNetSegmentor):
    """All blocks with output stride 16, and a decode head for 320 channels. Up to stride 4, the weights are frozen.

    The input is BGR, [B, 3, H, W] in [0, 255].
    """

    blocks = slice(18)
    channels = 320
    frozen_blocks = 4

    def __init__(self, head: BaseDecodeHead, weights: dict[str, Tensor]) -> None:
        super().__init__(head, weights)
        self.backbone[14].conv[1][0].stride = (1, 1)
        self.backbone[: self.frozen_blocks].requires_grad_(False)

    def features(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Returns the last feature map, [B, 320, H/16, W/16]."""
        return [self.backbone(normalized(inputs[0].flip(1)))]


class LateStages(MobileNetSegmentor):
    """The stages with 64 and 96 channels, dilated to output stride 8, and a decode head for 96 channels.

    The input comes from :func:`early_maps`, [B, 32, H/8, W/8].
    """

    blocks = slice(7, 14)
    channels = 96

    def __init__(self, head: BaseDecodeHead, weights: dict[str, Tensor]) -> None:
        super().__init__(head, weights)
        self.backbone[0].conv[1][0].stride = (1, 1)
        for block in self.backbone[1:]:
            block.conv[1][0].dilation = block.conv[1][0].padding = (2, 2)

    def features(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Returns [B, 96, H/8, W/8]."""
        return [self.backbone(inputs[0])]


def _mobilenet(weights: dict[str, Tensor]) -> Any:
    network = mobilenet_v2()
    network.load_state_dict(weights)
    return network.features


@torch.no_grad()
def early_maps(split: Split, weights: dict[str, Tensor], device: torch.device) -> Split:
    """Returns the split with the maps of MobileNetV2 at stride 8, [images, 32, H/8, W/8], in place of its images."""
    stem = _mobilenet(weights)[: LateStages.blocks.start].eval().to(device)
    images = (split.batch(torch.tensor([index]), device)[0][0] for index in range(len(split)))
    maps = [stem(normalized(image.flip(1))).cpu() for image in images]
    return Split([torch.cat(maps).numpy()], split.masks)


def normalized(images: Tensor) -> Tensor:
    """Maps RGB images [B, 3, H, W] in [0, 255] to what torchvision's networks expect."""
    mean, std = (images.new_tensor(values).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (images / 255 - mean) / std


def seed_classifiers(head: BaseDecodeHead, seed: int) -> BaseDecodeHead:
    """Draws the weights of the head's classifiers. The first has the same for all heads of a seed."""
    generator = torch.Generator().manual_seed(seed)
    for name in ('conv_seg', 'conv_org', 'conv_rev'):
        conv = getattr(head, name, None)
        if conv is not None:
            with torch.no_grad():
                conv.weight.normal_(0, 0.01, generator=generator)
                conv.bias.zero_()
    return head


def fit(model: HeadOnly | MultiScaleEncoderDecoder, split: Split, rate: float, steps: int, seed: int) -> None:
    """Adam with the polynomial schedule (power 0.9). With one seed, all methods see the same batches.

    A pretrained ``backbone`` has a tenth of the rate, as in the papers.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            groups.setdefault(0.1 if name.startswith('backbone.') else 1.0, []).append(weight)
    optimizer = torch.optim.Adam([dict(params=weights, factor=factor) for factor, weights in groups.items()])
    generator = torch.Generator().manual_seed(seed)
    model.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group['lr'] = group['factor'] * rate * (1 - step / steps) ** 0.9
        inputs, masks = split.batch(torch.randint(len(split), (BATCH,), generator=generator), device_of(model))
        samples = [SegDataSample(gt_sem_seg=PixelData(data=mask[None])) for mask in masks]
        losses = model.loss(inputs, samples)
        optimizer.zero_grad()
        torch.stack([value for name, value in losses.items() if 'loss' in name]).sum().backward()
        optimizer.step()


@torch.no_grad()
def predict(model: nn.Module, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Labels of all images.

    Returns:
        Labels [images, H, W] uint8, and the margin between the two best probabilities [images, H, W] float16.
    """
    model.eval()
    labels, margins = [], []
    for start in range(0, len(split), BATCH):
        inputs, masks = split.batch(torch.arange(start, min(start + BATCH, len(split))), device_of(model))
        scores = F.interpolate(model(inputs), masks.shape[1:], mode='bilinear', align_corners=False)
        best = scores.softmax(1).topk(2, dim=1)
        labels.append(best.indices[:, 0].byte().cpu().numpy())
        margins.append((best.values[:, 0] - best.values[:, 1]).half().cpu().numpy())
    return np.concatenate(labels), np.concatenate(margins)


def confusions(labels: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Confusion matrices of images, [images, N, N] int64: rows are the truth. Ignored pixels are not counted.

    Example:
        >>> confusions(np.array([[[1, 1]]]), np.array([[[1, 255]]]))[0, 1, :2]
        array([0, 1])
    """
    found = np.zeros((len(masks), CLASSES, CLASSES), np.int64)
    for matrix, predicted, truth in zip(found, labels, masks, strict=True):
        known = truth != IGNORED
        pairs = truth[known].astype(np.int64) * CLASSES + predicted[known]
        matrix += np.bincount(pairs, minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    return found
