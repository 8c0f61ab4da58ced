import matplotlib.image
import numpy as np
import torch
from mmengine.config import ConfigDict
from mmseg.registry import MODELS
from torch.nn import functional as F

from mmrev.models.layers import reverse_attention
from mmrev.visualization.filter_responses import (
    draw_filter_responses,
    group_filters,
    normalized_responses,
    strongest,
)
from mmrev.visualization.overlay import colorize, overlay
from mmrev.visualization.ran_figures import Sample, attention_maps, by_confusion, draw_comparison, most_confused

PALETTE = [[0, 0, 0], [255, 0, 0], [0, 255, 0]]


def sample(truth, prediction):
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    maps = np.zeros((3, *truth.shape))
    return Sample(np.zeros((*truth.shape, 3), np.uint8), truth, (prediction, truth), maps, maps)


def test_the_most_confused_pair_and_the_images_that_show_it():
    good, bad = sample([[0, 1, 1, 2]], [[0, 1, 1, 2]]), sample([[1, 2, 2, 255]], [[2, 1, 2, 0]])
    assert most_confused([good, bad], 3) == (1, 2)
    assert by_confusion([good, bad], (1, 2)) == [bad, good]
    background = sample([[0, 0, 1, 2]], [[1, 1, 0, 2]])
    assert most_confused([background], 3) == (0, 1)
    assert most_confused([background], 3, leave_out=[0]) == (1, 2)


def test_attention_of_fused_scores():
    model = MODELS.build(ConfigDict(
        type='mmrev.MultiScaleEncoderDecoder', scales=(1.0, 0.5), test_cfg=dict(mode='whole'),
        backbone=dict(type='ResNet', depth=18, base_channels=4, num_stages=1, strides=(1, ), dilations=(1, ),
                      out_indices=(0, )),
        decode_head=dict(type='mmrev.ReverseAttentionHead', mode='simple', in_channels=4, in_index=0, num_classes=3)))
    x = torch.randn(1, 3, 32, 40)
    with torch.no_grad():
        ours = attention_maps(model.eval(), x, (32, 40))
        scores = [model.decode_head.conv_org(model.backbone(F.interpolate(x, scale_factor=s, mode='bilinear'))[0])
                  for s in (1.0, 0.5)]
        fused = torch.maximum(scores[0], F.interpolate(scores[1], scores[0].shape[2:], mode='bilinear'))
        expected = F.interpolate(reverse_attention(fused), (32, 40), mode='bilinear')
    torch.testing.assert_close(ours, expected)


def test_normalized_responses_are_per_unit_of_the_class_area():
    features = np.arange(2 * 2 * 3, dtype=float).reshape(2, 2, 3)
    labels = np.array([[1, 1, 0], [255, 1, 0]])
    np.testing.assert_allclose(normalized_responses(features, labels, 1), [(0 + 1 + 4) / 3, (6 + 7 + 10) / 3])
    np.testing.assert_array_equal(normalized_responses(features, labels, 7), [0, 0])


def test_filters_fall_into_three_groups():
    groups = group_filters(np.array([5, 5, 0, 0.]), np.array([5, 0, 5, 0.]), threshold=1)
    assert strongest([np.arange(100.), np.zeros(100)], 20) == 79
    assert (groups.both.tolist(), groups.first.tolist(), groups.second.tolist()) == ([0], [1], [2])


def test_overlay_colours_a_grey_image():
    image, labels = np.full((1, 3, 3), (90, 100, 110), np.uint8), np.array([[0, 1, 255]])
    assert colorize(labels, PALETTE).tolist() == [[[0, 0, 0], [255, 0, 0], [128, 128, 128]]]
    assert overlay(image, labels, PALETTE, 0.6).tolist() == [[[100] * 3, [193, 40, 40], [117] * 3]]


def test_pictures_are_written(tmp_path):
    shown = [sample(np.random.randint(0, 3, (20, 30)), np.random.randint(0, 3, (20, 30))) for _ in range(2)]
    picture = matplotlib.image.imread(draw_comparison(tmp_path / 'a.png', shown, ['A', 'B'], '012', PALETTE, (1, 2)))
    assert picture.shape[1] > picture.shape[0] and picture.std() > 0.05
    bars = draw_filter_responses(tmp_path / 'b.png', [np.arange(9.), np.arange(9.)[::-1]], ['cat', 'dog'], 4)
    assert matplotlib.image.imread(bars).std() > 0.05
