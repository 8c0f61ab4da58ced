"""The protocol of fusions, and the outputs of decode heads that are fused."""

import pytest
import torch
from mmseg.models.decode_heads import FCNHead
from mmseg.registry import MODELS
from torch import nn

from mmrev.models import LargeFOVHead, ReverseAttentionHead, ScaleAttentionHead
from mmrev.models.segmentors.fusion import (
    Fusion,
    PlainFusion,
    as_fusion,
    build_fusion,
    fused_in_testing,
    fused_in_training,
)

FCN = dict(in_channels=8, channels=8, num_classes=3, num_convs=0, concat_input=False)


class Brightest(nn.Module):
    """A module of a user. It does not know the protocol."""

    def forward(self, maps):
        return max(maps, key=lambda scores: scores.sum())


@pytest.mark.parametrize('fusion', ['max', 'avg'])
def test_functions_fuse_maps_of_one_size_and_keep_nothing(fusion):
    plain = as_fusion(build_fusion(fusion), align_corners=False)
    assert isinstance(plain, Fusion) and not plain.attends
    assert plain.scale_features([torch.zeros(1)], 0) is None and plain.attend([None, None]) is None
    assert plain.fuse([torch.zeros(1, 2, 8, 8), torch.ones(1, 2, 4, 4)], None).shape == (1, 2, 8, 8)
    assert plain.fuse([torch.zeros(1, 7), torch.ones(1, 7)], None).shape == (1, 7)


def test_modules_of_users_are_wrapped_and_ours_is_not():
    theirs, ours = Brightest(), ScaleAttentionHead([4, 8], 3, channels=4, scale_channels=4)
    assert as_fusion(theirs, True) == PlainFusion(theirs, True)
    assert as_fusion(ours, True) is ours and ours.attends
    maps = [torch.zeros(1, 2, 8, 8), torch.ones(1, 2, 8, 8)]
    assert as_fusion(theirs, True).fuse(maps) is maps[1]


class OwnPredict(FCNHead):
    def predict(self, inputs, batch_img_metas, test_cfg):
        return super().predict(inputs, batch_img_metas, test_cfg)


class OwnLoss(FCNHead):
    def loss(self, inputs, batch_data_samples, train_cfg):
        return super().loss(inputs, batch_data_samples, train_cfg)


class OwnLossOfBranches(OwnLoss):
    def forward_branches(self, inputs):
        return (self(inputs),)


class Declared(OwnLoss, OwnPredict):
    fused_in_training, fused_in_testing = 'forward', 'forward'


@pytest.mark.parametrize(
    ('head', 'training', 'testing'),
    [
        (FCNHead(**FCN), 'forward', 'forward'),
        (OwnPredict(**FCN), 'forward', 'predict'),
        (OwnLoss(**FCN), 'loss', 'forward'),
        (OwnLossOfBranches(**FCN), 'forward_branches', 'forward'),
        (Declared(**FCN), 'forward', 'forward'),
        (LargeFOVHead(8, num_classes=3), 'forward', 'forward'),
        (ReverseAttentionHead(8, num_classes=3), 'forward_branches', 'forward'),
        (
            dict(type='mmrev.RegionAttentionHead', in_channels=8, channels=8, num_representatives=2, num_classes=3),
            'forward_branches',
            'predict',
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_fused_outputs_of_a_head(head, training, testing):
    head = MODELS.build(head) if isinstance(head, dict) else head
    assert (fused_in_training(head), fused_in_testing(head)) == (training, testing)


def test_a_subclass_may_have_its_own_predict():
    class Ours(ReverseAttentionHead):
        predict = OwnPredict.predict

    assert fused_in_testing(Ours(8, num_classes=3)) == 'predict'
