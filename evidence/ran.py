"""RAN (Huang et al., BMVC 2017): what reverse attention and its parts do to a head, and to a backbone."""

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

from mmrev.engine.checkpoints import read_checkpoint
from mmrev.errors import DataError
from mmrev.models.decode_heads.large_fov_head import LargeFOVHead
from mmrev.models.decode_heads.reverse_attention_head import ReverseAttentionHead

from .camvid import CLASSES, IGNORED, SPLITS, Split, load_images
from .features import CHANNELS, load_features
from .paired import mean_iou
from .protocol import Study, tune
from .runs import RunLog
from .segmentation import HeadOnly, SmallSegmentor, confusions, fit, predict, seed_classifiers
from .sources import Sources

CLOSE = 0.2  # a smaller margin between the baseline's two best probabilities counts as close


class ConstantAttentionHead(ReverseAttentionHead):
    """Control: the reverse response is subtracted with the weight 0.5 everywhere."""

    def attention(self, original: Tensor) -> Tensor:
        return torch.full_like(original, 0.5)


class WrongSignHead(ReverseAttentionHead):
    """Control: the attention is high where the original score is high."""

    def attention(self, original: Tensor) -> Tensor:
        return original.sigmoid()


HEADS: dict[str, tuple[type[BaseDecodeHead], dict[str, str]]] = {
    'LFOV': (LargeFOVHead, {}),
    'dual': (ReverseAttentionHead, dict(mode='dual')),
    'constant 0.5': (ConstantAttentionHead, {}),
    'wrong sign': (WrongSignHead, {}),
    'RAN-s': (ReverseAttentionHead, dict(mode='simple')),
    'RAN-n': (ReverseAttentionHead, dict(mode='normalized')),
}


class RANStudy(Study):
    """A study of RAN's heads. The close pixels are those where the baseline's two best classes are close."""

    methods = tuple(HEADS)
    measures = ('mIoU', 'accuracy on close pixels')
    dilation = 12

    train_split: Split
    val: Split
    test_split: Split

    @abstractmethod
    def start(self, method: str, seed: int) -> nn.Module:
        """Returns the model before the training."""

    def head(self, method: str, seed: int, channels: int = CHANNELS) -> BaseDecodeHead:
        """Builds a head. Its original and reverse classifiers start from numbers that depend on the seed alone."""
        kind, options = HEADS[method]
        head = kind(in_channels=channels, num_classes=CLASSES, in_index=0, dilation=self.dilation, **options)
        return seed_classifiers(head, seed)

    def train(self, method: str, seed: int, rate: float) -> nn.Module:
        model = self.start(method, seed).to(self.device)
        fit(model, self.train_split, rate, self.steps, seed)
        return model

    def validate(self, model: nn.Module) -> float:
        return mean_iou(confusions(predict(model, self.val)[0], self.val.masks).sum(0))

    def test(self, model: Any, method: str, seed: int) -> dict[str, float]:
        labels, margins = predict(model, self.test_split)
        if method == 'LFOV':
            np.save(self.kept / f'{seed}_close.npy', margins < CLOSE)
            torch.save(model.cpu().state_dict(), self.kept / f'{seed}.pth')
        masks = self.test_split.masks
        close = self._close_pixels(seed) & (masks != IGNORED)
        matrices = confusions(labels, masks)
        np.save(self.kept / f'{seed}_{method}.npy', matrices)
        return {
            'mIoU': mean_iou(matrices.sum(0)),
            'accuracy on close pixels': 100 * float((labels == masks)[close].mean()),
        }

    def _close_pixels(self, seed: int) -> np.ndarray:
        file = self.kept / f'{seed}_close.npy'
        if not file.exists():
            raise DataError(
                f'{file} is missing: continue with the --work-dir that the first runs had, or with new --results'
            )
        return np.load(file)


class FrozenScratch(RANStudy):
    """RAN's heads from nothing, on the features of a frozen ResNet-50.

    Hypotheses: RAN-s and RAN-n beat LFOV. The two controls (a constant weight, the wrong sign) do not. The gain is
    larger on close pixels.
    """

    name = 'ran_frozen_scratch'
    title = 'RAN from nothing, frozen backbone'
    rates = (2e-3, 4e-3, 8e-3)
    default_steps = 400
    hours = 1.3

    def __init__(self, sources: Sources, steps: int | None = None) -> None:
        super().__init__(sources, steps)
        features = sources.features()
        self.train_split, self.val, self.test_split = (load_features(features, split) for split in SPLITS)

    def start(self, method: str, seed: int) -> nn.Module:
        return HeadOnly(self.head(method, seed))


class FrozenContinued(FrozenScratch):
    """The paper's own way: all continue from one trained LFOV. The reverse branch starts as its negative.

    Hypotheses: RAN-s and RAN-n beat the baseline that is continued as long. The gain is larger on close pixels.
    """

    name = 'ran_frozen_continued'
    title = 'RAN continued from a converged baseline, frozen backbone'
    rates = (5e-4, 1e-3, 2e-3)
    hours = 1.3

    def __init__(self, sources: Sources, steps: int | None = None) -> None:
        super().__init__(sources, steps)
        self.scratch = FrozenScratch(sources, steps)
        self.scratch_log = RunLog(sources.results / f'{self.scratch.name}.csv', self.measures)

    def start(self, method: str, seed: int) -> nn.Module:
        trained = self._baseline(seed).head.conv_seg.state_dict()
        head = self.head(method, seed)
        for name, sign in (('conv_seg', 1), ('conv_org', 1), ('conv_rev', -1)):
            conv = getattr(head, name, None)
            if conv is not None:
                conv.load_state_dict({key: sign * value for key, value in trained.items()})
        return HeadOnly(head)

    def _baseline(self, seed: int) -> HeadOnly:
        """The LFOV of :class:`FrozenScratch` with this seed. It is trained here if no file of it is kept."""
        file = self.scratch.kept / f'{seed}.pth'
        if not file.exists():
            rate = tune(self.scratch, self.scratch_log, 'LFOV')
            torch.save(self.scratch.train('LFOV', seed, rate).cpu().state_dict(), file)
        model = HeadOnly(self.head('LFOV', seed))
        model.load_state_dict(torch.load(file, weights_only=True))
        return model


class Trained(RANStudy):
    """RAN's heads on a MobileNetV2 that is trained with them, from its ImageNet weights.

    Hypotheses: RAN-s and RAN-n beat LFOV by more than on a frozen backbone. The two controls do not. The gain is larger
    on close pixels.
    """

    name = 'ran_trained'
    title = 'RAN on a trained backbone'
    rates = (1e-3, 2e-3, 4e-3)
    default_steps = 400
    hours = 4.1
    tuning_seeds = (100,)
    dilation = 6

    def __init__(self, sources: Sources, steps: int | None = None) -> None:
        super().__init__(sources, steps)
        self.train_split, self.val, self.test_split = (
            load_images(sources.camvid, split, sources.limit) for split in SPLITS
        )
        self.weights = read_checkpoint(sources.weights / 'mobilenet_v2_in1k.pth')

    def start(self, method: str, seed: int) -> nn.Module:
        return SmallSegmentor(self.head(method, seed, SmallSegmentor.channels), self.weights)
