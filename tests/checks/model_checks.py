"""Checks that every decode head and every segmentor must pass. A test class inherits them and names a config.

Shape letters: B batch, N classes, H x W the image.
"""

import copy

import torch
from mmengine.config import ConfigDict
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn


def make_samples(labels: Tensor) -> list[SegDataSample]:
    """Makes data samples with the labels [B, H, W] as their ground truth."""
    size = tuple(labels.shape[1:])
    meta = dict(img_shape=size, pad_shape=size, ori_shape=size)
    return [SegDataSample(gt_sem_seg=PixelData(data=label[None]), metainfo=meta) for label in labels]


def total_loss(losses: dict[str, Tensor]) -> Tensor:
    """Adds up the losses as mmengine does for training."""
    return sum(value for name, value in losses.items() if 'loss' in name)


class HeadChecks:
    """Trains and tests a decode head on random feature maps.

    Attributes:
        head: The config of the head, without ``num_classes``.
        channels: The number of channels of each feature map.
        strides: The stride of each feature map.
        num_classes: N.
    """

    head: dict
    channels: tuple[int, ...] = (6, 8)
    strides: tuple[int, ...] = (4, 8)
    num_classes = 5

    def build(self) -> nn.Module:
        torch.manual_seed(0)
        head = MODELS.build(dict(self.head, num_classes=self.num_classes))
        head.init_weights()
        return head

    def features(self, height: int = 48, width: int = 64, batch: int = 2) -> list[Tensor]:
        """Makes the feature maps of images of this size."""
        return [
            torch.randn(batch, channels, -(-height // stride), -(-width // stride))
            for channels, stride in zip(self.channels, self.strides, strict=True)
        ]

    def train_loss(
        self, head: nn.Module, height: int = 48, width: int = 64, batch: int = 2, ignored: bool = False
    ) -> Tensor:
        samples = self.samples(height, width, batch, ignored)
        return total_loss(head.loss(self.features(height, width, batch), samples, dict()))

    def samples(self, height: int, width: int, batch: int, ignored: bool = False) -> list[SegDataSample]:
        """Makes data samples with random labels, or with ignored labels only."""
        size = (batch, height, width)
        return make_samples(torch.full(size, 255) if ignored else torch.randint(self.num_classes, size))

    def predicted(self, head: nn.Module, height: int, width: int, batch: int = 2) -> Tensor:
        meta = dict(img_shape=(height, width), pad_shape=(height, width))
        return head.predict(self.features(height, width, batch), [meta] * batch, dict())

    def test_predicts_a_score_a_class_and_pixel(self) -> None:
        assert self.predicted(self.build().eval(), 48, 64).shape == (2, self.num_classes, 48, 64)

    def test_odd_sizes(self) -> None:
        assert self.predicted(self.build().eval(), 48 + 3, 64 + 7).shape == (2, self.num_classes, 51, 71)
        assert self.train_loss(self.build(), 48 + 3, 64 + 7).isfinite()

    def test_features_of_one_pixel(self) -> None:
        smallest = min(self.strides)
        assert self.predicted(self.build().eval(), smallest, smallest).isfinite().all()
        assert self.train_loss(self.build(), smallest, smallest).isfinite()

    def test_batch_of_one(self) -> None:
        assert self.train_loss(self.build(), batch=1).isfinite()

    def test_every_parameter_learns(self) -> None:
        head = self.build()
        self.train_loss(head).backward()
        gradients = {name: parameter.grad for name, parameter in head.named_parameters()}
        assert gradients
        for name, gradient in gradients.items():
            assert gradient is not None, f'{name} gets no gradient'
            assert gradient.isfinite().all() and gradient.any(), f'{name}: gradient zero or not finite'

    def test_all_labels_ignored(self) -> None:
        head = self.build()
        loss = self.train_loss(head, ignored=True)
        loss.backward()
        assert loss.isfinite()
        assert all(parameter.grad.isfinite().all() for parameter in head.parameters())

    def test_state_dict_carries_everything(self) -> None:
        head, other = self.build().eval(), self.build().eval()
        for parameter in other.parameters():
            nn.init.constant_(parameter, 0.5)
        features = self.features()
        assert not torch.equal(head(features), other(features))
        other.load_state_dict(head.state_dict(), strict=True)
        assert torch.equal(head(features), other(features))

    def test_bfloat16_autocast(self) -> None:
        head = self.build()
        with torch.autocast('cpu', dtype=torch.bfloat16):
            loss = self.train_loss(head)
        loss.backward()
        assert loss.isfinite()
        assert all(parameter.grad.isfinite().all() for parameter in head.parameters())

    def test_deep_copy_is_independent(self) -> None:
        head, features = self.build().eval(), self.features()
        twin, before = copy.deepcopy(head), head(features)
        assert torch.equal(twin(features), before)
        for parameter in twin.parameters():
            nn.init.zeros_(parameter)
        assert torch.equal(head(features), before)


class SegmentorChecks(HeadChecks):
    """Trains and tests a whole segmentor, to check the fusion in it.

    Attributes:
        model: The config of the segmentor, without any ``num_classes``.
    """

    model: dict
    strides = (8,)

    def build(self) -> nn.Module:
        torch.manual_seed(0)
        config = copy.deepcopy(self.model)
        for part in ('decode_head', 'fusion'):
            config[part]['num_classes'] = self.num_classes
        segmentor = MODELS.build(ConfigDict(config))
        segmentor.init_weights()
        return segmentor

    def features(self, height: int = 48, width: int = 64, batch: int = 2) -> Tensor:
        """Makes images."""
        return torch.randn(batch, 3, height, width)

    def train_loss(
        self, head: nn.Module, height: int = 48, width: int = 64, batch: int = 2, ignored: bool = False
    ) -> Tensor:
        head.backbone.eval()  # batch norm cannot normalise a single pixel
        return total_loss(head.loss(self.features(height, width, batch), self.samples(height, width, batch, ignored)))

    def predicted(self, head: nn.Module, height: int, width: int, batch: int = 2) -> Tensor:
        results = head.predict(self.features(height, width, batch), self.samples(height, width, batch))
        return torch.stack([sample.seg_logits.data for sample in results])
