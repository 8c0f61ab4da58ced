import matplotlib.image
import numpy as np
import tiny_runs
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DATASETS
from mmseg.registry import MODELS
from torch.nn import functional as F

from mmrev.models.layers import reverse_attention
from mmrev.visualization import ran_figures
from mmrev.visualization.filter_responses import group_filters, mean_responses, normalized_responses, strongest
from mmrev.visualization.overlay import colorize, overlay
from mmrev.visualization.ran_figures import attention_maps, draw_ran_figures
from mmrev.visualization.samples import at_image_size, inputs_of, look

PALETTE = [[0, 0, 0], [255, 0, 0], [0, 255, 0]]


def test_attention_of_fused_scores():
    model = MODELS.build(
        ConfigDict(
            type='mmrev.MultiScaleEncoderDecoder',
            scales=(1.0, 0.5),
            test_cfg=dict(mode='whole'),
            backbone=dict(
                type='ResNet', depth=18, base_channels=4, num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,)
            ),
            decode_head=dict(
                type='mmrev.ReverseAttentionHead', mode='simple', in_channels=4, in_index=0, num_classes=3
            ),
        )
    )
    x = torch.randn(1, 3, 32, 40)
    with torch.no_grad():
        ours = attention_maps(model.eval(), x)
        scores = [
            model.decode_head.conv_org(model.backbone(F.interpolate(x, scale_factor=s, mode='bilinear'))[0])
            for s in (1.0, 0.5)
        ]
        fused = torch.maximum(scores[0], F.interpolate(scores[1], scores[0].shape[2:], mode='bilinear'))
    torch.testing.assert_close(ours, reverse_attention(fused))


def test_normalized_responses_are_per_unit_of_the_class_area():
    features = np.arange(2 * 2 * 3, dtype=float).reshape(2, 2, 3)
    labels = np.array([[1, 1, 0], [255, 1, 0]])
    np.testing.assert_allclose(normalized_responses(features, labels, 1), [(0 + 1 + 4) / 3, (6 + 7 + 10) / 3])
    np.testing.assert_array_equal(normalized_responses(features, labels, 7), [0, 0])


def test_filters_fall_into_three_groups():
    groups = group_filters(np.array([5, 5, 0, 0.0]), np.array([5, 0, 5, 0.0]), threshold=1)
    assert strongest([np.arange(100.0), np.zeros(100)], 20) == 79
    assert (groups.both.tolist(), groups.first.tolist(), groups.second.tolist()) == ([0], [1], [2])


def test_overlay_colours_a_grey_image():
    image, labels = np.full((1, 3, 3), (90, 100, 110), np.uint8), np.array([[0, 1, 255]])
    assert colorize(labels, PALETTE).tolist() == [[[0, 0, 0], [255, 0, 0], [128, 128, 128]]]
    assert overlay(image, labels, PALETTE, 0.6).tolist() == [[[100] * 3, [193, 40, 40], [117] * 3]]


def test_rows_and_columns_of_the_figures(tmp_path, monkeypatch):
    cfg = tiny_runs.segmentation(tmp_path)
    dataset, model = DATASETS.build(cfg.test_dataloader.dataset), MODELS.build(cfg.model).eval()
    samples, panels = [look(dataset[index], [model, model]) for index in range(3)], {}
    monkeypatch.setattr(ran_figures, 'save_panel', lambda path, *drawn: panels.setdefault(path, drawn) and path)
    monkeypatch.setattr(ran_figures, 'by_confusion', lambda samples, pair: samples[::-1])
    files = draw_ran_figures(tmp_path, samples, ['baseline'], dataset.metainfo, (3, 8), rows=2)
    assert [file.name for file in files] == ['figure4.png', 'figure2_probabilities.png', 'figure2_filters.png']
    assert matplotlib.image.imread(files[2]).std() > 0.05

    (rows, titles), (beside, names) = panels.values()
    assert titles == ['image', 'ground truth', 'baseline', 'RAN', 'reverse attention: road', 'reverse attention: car']
    assert names == ['image', 'probability: road', 'probability: car']
    assert len(rows) == len(beside) == 2 and {len(row) for row in rows} == {6} and {len(row) for row in beside} == {3}
    last = samples[-1]
    attention = at_image_size(last, attention_maps(model, inputs_of(last)))
    np.testing.assert_allclose(rows[0][4:], attention[[3, 8]], rtol=1e-5)
    scores = model.predict(inputs_of(last), [last.item['data_samples']])[0].seg_logits.data
    np.testing.assert_allclose(beside[0][1:], scores.softmax(0)[[3, 8]].detach(), rtol=1e-5)


def test_responses_are_means_over_the_images_that_hold_the_class(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path)
    dataset, model = DATASETS.build(cfg.test_dataloader.dataset), MODELS.build(cfg.model).eval()
    first, second = samples = [look(dataset[index], [model]) for index in range(2)]
    first.truth[first.truth == 4], second.truth[second.truth == 3], second.truth[second.truth == 4] = 255, 255, 255
    road, car = mean_responses(samples, (3, 8))
    apart = [mean_responses([sample], (3, 8)) for sample in samples]
    np.testing.assert_array_equal(road, apart[0][0])
    np.testing.assert_allclose(car, (apart[0][1] + apart[1][1]) / 2, rtol=1e-6)
    with torch.no_grad():
        features = model.backbone(inputs_of(first))[1][0].numpy()
    labels = first.truth[:: 48 // features.shape[1], :: 64 // features.shape[2]]
    np.testing.assert_allclose(road, normalized_responses(features, labels, 3), rtol=1e-6)
    assert mean_responses(samples, (3, 4))[1].tolist() == [0] * 8
