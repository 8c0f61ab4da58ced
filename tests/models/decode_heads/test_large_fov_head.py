import numpy as np
import pytest
import torch
from checks.model_checks import HeadChecks
from reference import ran

from mmrev.errors import ConfigError
from mmrev.models import ASPPV2Head, LargeFOVHead


class TestLargeFOV(HeadChecks):
    head = dict(type='mmrev.LargeFOVHead', in_channels=8, in_index=1)


class TestPlainClassifier(HeadChecks):
    head = dict(type='mmrev.LargeFOVHead', in_channels=8, in_index=1, dilation=1)


class TestConcatenatedFeatures(HeadChecks):
    head = dict(type='mmrev.LargeFOVHead', in_channels=[6, 8], in_index=[0, 1], input_transform='resize_concat')


class TestASPPV2(HeadChecks):
    head = dict(type='mmrev.ASPPV2Head', in_channels=8, in_index=1, align_corners=True)


def test_large_fov_is_one_dilated_convolution():
    head = LargeFOVHead(in_channels=3, num_classes=4, dilation=2, in_index=0).double()
    features = torch.randn(1, 3, 9, 11, dtype=torch.float64)
    conv = head.conv_seg
    expected = ran.conv3x3(features[0].numpy(), conv.weight.detach().numpy(), conv.bias.detach().numpy(), 2)
    np.testing.assert_allclose(head([features])[0].detach().numpy(), expected, atol=1e-9)


def test_aspp_is_the_sum_of_its_classifiers():
    head = ASPPV2Head(in_channels=3, num_classes=4, in_index=0).double()
    features = torch.randn(1, 3, 30, 30, dtype=torch.float64)
    expected = sum(
        ran.conv3x3(features[0].numpy(), conv.weight.detach().numpy(), conv.bias.detach().numpy(), dilation)
        for conv, dilation in zip(head.conv_seg, (6, 12, 18, 24), strict=True)
    )
    np.testing.assert_allclose(head([features])[0].detach().numpy(), expected, atol=1e-9)


def test_no_hidden_layer_and_no_dropout():
    head = LargeFOVHead(in_channels=8, channels=512, num_classes=4)
    assert sum(parameter.numel() for parameter in head.parameters()) == 8 * 4 * 9 + 4
    assert head.dropout is None


def test_several_feature_maps_are_refused():
    with pytest.raises(ConfigError, match='resize_concat'):
        LargeFOVHead(in_channels=[6, 8], in_index=[0, 1], input_transform='multiple_select', num_classes=4)
