"""RA-Net (Wang et al., Scientific Reports 2024): gates on the shortcuts of a pretrained network."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.registry import DefaultScope
from torch import Tensor, nn
from torch.nn import functional as F

from mmrev.engine.checkpoints import read_checkpoint
from mmrev.engine.hooks.temperature_annealing_hook import gates
from mmrev.models import RAMobileNetV2
from mmrev.models.layers import ModifiedGRN

from .protocol import Study
from .segmentation import normalized
from .sources import Sources
from .tiny_imagenet import accuracy, load_images

SIZE = 96  # pixels, to which the images are enlarged
BATCH = 32
FIRST_TEMPERATURE, ANNEALED = 30, 0.1  # as in the paper: from 30 to 1 in the first tenth of the training
PLAIN = 'top-1 with gamma = 0'


class InputIndependent(nn.Module):
    """Control: the gate becomes ``1 + gamma / temperature``. It no longer depends on the features."""

    def forward(self, aggregated: Tensor) -> Tensor:
        return torch.ones_like(aggregated)


class GatedMobileNetV2(nn.Module):
    """A frozen MobileNetV2 with gates on its shortcuts, and a classifier. Only gamma and the classifier are trained.

    The input is RGB, [B, 3, H, W] in [0, 255].

    Args:
        weights: torchvision's MobileNetV2 on ImageNet, a state dict.
        classes: The number of classes.
    """

    def __init__(self, weights: dict[str, Tensor], classes: int) -> None:
        super().__init__()
        with DefaultScope.overwrite_default_scope('mmpretrain'):  # whose network ends with 1280 channels
            self.backbone = RAMobileNetV2(out_indices=(7,))
        self.backbone.load_state_dict(weights, strict=False)
        self.backbone.requires_grad_(False)
        self.classifier = nn.Linear(1280, classes)
        nn.init.zeros_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)
        self.backbone.eval()

    @property
    def gates(self) -> list[ModifiedGRN]:
        return gates(self.backbone)

    def forward(self, images: Tensor) -> Tensor:
        images = F.interpolate(normalized(images), (SIZE, SIZE), mode='bilinear', align_corners=False)
        return self.classifier(self.backbone(images)[-1].mean((2, 3)))


class PretrainedGates(Study):
    """Gates on a frozen, pretrained MobileNetV2: gamma and a new classifier are trained on 50 classes.

    The control "fixed gates" has as many weights, but its gates do not look at the features.

    Hypotheses: RA beats the classifier alone and the fixed gates. It does not without the annealed temperature, or by
    less. With gamma set to 0 after the training, the accuracy falls below that of the classifier alone.
    """

    name = 'ra_net_gates'
    title = 'RA-Net gates on a frozen, pretrained MobileNetV2'
    methods = ('classifier alone', 'fixed gates', 'RA without temperature', 'RA')
    rates = (1e-3, 2e-3, 4e-3)
    measures = ('top-1', PLAIN)
    default_steps = 300
    hours = 1.0
    tuning_seeds = (100,)
    seeds = range(5)

    def __init__(self, sources: Sources, steps: int | None = None) -> None:
        super().__init__(sources, steps)
        self.splits = load_images(sources.data_root / 'tiny_imagenet50', sources.limit)
        self.weights = read_checkpoint(sources.weights / 'mobilenet_v2_in1k.pth')

    def train(self, method: str, seed: int, rate: float) -> GatedMobileNetV2:
        images, labels = self.splits['train']
        model = GatedMobileNetV2(self.weights, int(labels.max()) + 1).to(self.device)
        for gate in model.gates:
            gate.gamma.requires_grad_(method != 'classifier alone')
            if method == 'fixed gates':
                gate.normalize = InputIndependent()
        optimizer = torch.optim.Adam([weight for weight in model.parameters() if weight.requires_grad])
        generator = torch.Generator().manual_seed(seed)
        for step in range(self.steps):
            if method == 'RA':
                set_temperature(model, step / (ANNEALED * self.steps))
            optimizer.param_groups[0]['lr'] = rate * (1 - step / self.steps) ** 0.9
            chosen = torch.randint(len(labels), (BATCH,), generator=generator).numpy()
            scores = model(torch.from_numpy(images[chosen]).to(self.device).float())
            loss = F.cross_entropy(scores, torch.from_numpy(labels[chosen]).to(self.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        set_temperature(model, 1)
        return model

    def validate(self, model: GatedMobileNetV2) -> float:
        return accuracy(model, self.splits['val'])

    def test(self, model: GatedMobileNetV2, method: str, seed: int) -> dict[str, float]:
        scores = {'top-1': accuracy(model, self.splits['test'])}
        with gamma_of_zero(model):
            scores[PLAIN] = accuracy(model, self.splits['test'])
        return scores


def set_temperature(model: nn.Module, progress: float) -> None:
    """Sets the temperature of all gates. It falls in a line while the progress goes from 0 to 1, and then it is 1."""
    for gate in gates(model):
        gate.temperature.fill_(1 + (FIRST_TEMPERATURE - 1) * max(0.0, 1 - progress))


@contextmanager
def gamma_of_zero(model: nn.Module) -> Iterator[None]:
    """Makes all gates 1 for a while."""
    kept = [gate.gamma.detach().clone() for gate in gates(model)]
    with torch.no_grad():
        for gate in gates(model):
            gate.gamma.zero_()
        yield
        for gate, gamma in zip(gates(model), kept, strict=True):
            gate.gamma.copy_(gamma)
