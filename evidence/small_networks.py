"""RA-Net (Wang et al., Scientific Reports 2024): a ResNet-20 from nothing, with and without attention."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from mmpretrain.models.backbones.resnet import BasicBlock
from mmpretrain.models.backbones.resnet_cifar import ResNet_CIFAR
from torch import Tensor, nn
from torch.nn import functional as F

from mmrev.models import add_reverse_attention
from mmrev.models.layers import CBAMAddition, SEAddition
from mmrev.models.surgery.residual_blocks import add_attention

from .gates import ANNEALED, PLAIN, gamma_of_zero, set_temperature
from .protocol import Study
from .segmentation import normalized
from .sources import Sources
from .tiny_imagenet import accuracy, load_images

WIDTH = 16  # channels of the first stage
REDUCTION = 4  # of SE and CBAM: 16 would leave one channel
BATCH = 64
MARGIN = 4  # pixels by which an image is shifted at most
MOMENTUM, WEIGHT_DECAY = 0.9, 1e-4

ATTENTION: dict[str, Callable[[nn.Module], object]] = {
    'plain': lambda network: None,
    'SE': partial(add_attention, make_addition=partial(SEAddition, reduction=REDUCTION)),
    'CBAM': partial(add_attention, make_addition=partial(CBAMAddition, reduction=REDUCTION)),
    'RA without temperature': add_reverse_attention,
    'RA': add_reverse_attention,
}


class ResNet20(ResNet_CIFAR):
    """The ResNet-20 of He et al. for images of 32 x 32, with convolutions in its two wider shortcuts."""

    arch_settings = {20: (BasicBlock, (3, 3, 3))}

    def __init__(self) -> None:
        super().__init__(
            20,
            stem_channels=WIDTH,
            base_channels=WIDTH,
            num_stages=3,
            strides=(1, 2, 2),
            dilations=(1, 1, 1),
            out_indices=(2,),
            zero_init_residual=False,  # with it F(x) starts at 0, and gamma gets no gradient
        )


class SmallClassifier(nn.Module):
    """ResNet-20 and a linear classifier. With one seed, all methods have the same initial weights.

    The input is RGB, [B, 3, 32, 32] in [0, 255].
    """

    def __init__(self, method: str, seed: int, classes: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.backbone = ResNet20()
        self.backbone.init_weights()
        self.classifier = nn.Linear(4 * WIDTH, classes)
        ATTENTION[method](self.backbone)

    def forward(self, images: Tensor) -> Tensor:
        images = normalized(images).contiguous(memory_format=torch.channels_last)  # a quarter less time on a CPU
        return self.classifier(self.backbone(images)[-1].mean((2, 3)))


class SmallNetworks(Study):
    """ResNet-20 from nothing, on 50 classes of Tiny-ImageNet at 32 x 32 pixels, with each kind of attention.

    Hypotheses: the order is that of the paper's tables 2 and 3: plain, SE, CBAM, RA. RA is worse without the annealed
    temperature (table 9). With gamma set to 0 after the training, the accuracy of RA falls.
    """

    name = 'ra_net_small'
    title = 'RA-Net from nothing: ResNet-20 at 32 x 32 pixels'
    methods = tuple(ATTENTION)
    rates = (0.05, 0.1, 0.2)
    measures = ('top-1', PLAIN)
    default_steps = 600
    hours = 2.6
    tuning_seeds = (100,)

    def __init__(self, sources: Sources, steps: int | None = None) -> None:
        super().__init__(sources, steps)
        found = load_images(sources.data_root / 'tiny_imagenet50', sources.limit)
        self.splits = {name: (halved(images), labels) for name, (images, labels) in found.items()}

    def train(self, method: str, seed: int, rate: float) -> SmallClassifier:
        images, labels = self.splits['train']
        model = SmallClassifier(method, seed, int(labels.max()) + 1).to(self.device)
        optimizer = torch.optim.SGD(model.parameters(), rate, MOMENTUM, weight_decay=WEIGHT_DECAY, nesterov=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, self.steps, pct_start=0.1, cycle_momentum=False)
        rng = np.random.default_rng(seed)
        model.train()
        for step in range(self.steps):
            if method == 'RA':
                set_temperature(model, step / (ANNEALED * self.steps))
            chosen = rng.integers(len(labels), size=BATCH)
            scores = model(torch.from_numpy(augmented(images[chosen], rng)).to(self.device).float())
            loss = F.cross_entropy(scores, torch.from_numpy(labels[chosen]).to(self.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        set_temperature(model, 1)
        model.eval()
        return model

    def validate(self, model: SmallClassifier) -> float:
        return accuracy(model, self.splits['val'])

    def test(self, model: SmallClassifier, method: str, seed: int) -> dict[str, float]:
        scores = {'top-1': accuracy(model, self.splits['test'])}
        if method.startswith('RA'):
            with gamma_of_zero(model):
                scores[PLAIN] = accuracy(model, self.splits['test'])
        return scores


def halved(images: np.ndarray) -> np.ndarray:
    """The means of 2 x 2 pixels, [images, 3, 64, 64] -> [images, 3, 32, 32] uint8.

    Example:
        >>> halved(np.array([[[[0, 4], [4, 8]]]], np.uint8)).tolist()
        [[[[4]]]]
    """
    parts = [images[..., down::2, across::2].astype(np.uint16) for down in (0, 1) for across in (0, 1)]
    return ((parts[0] + parts[1] + parts[2] + parts[3]) // 4).astype(np.uint8)


def augmented(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shifts each image by up to 4 pixels and flips half of them. The border is mirrored."""
    size = images.shape[-1]
    padded = np.pad(images, [(0, 0), (0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN)], mode='reflect')
    found = np.empty_like(images)
    for number, image in enumerate(padded):
        top, left = rng.integers(2 * MARGIN + 1, size=2)
        crop = image[:, top : top + size, left : left + size]
        found[number] = crop[..., ::-1] if rng.random() < 0.5 else crop
    return found
