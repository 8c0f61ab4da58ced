import numpy as np
import pytest
import tiny_runs
from mmengine.registry import DATASETS
from mmseg.registry import MODELS
from torch.nn import functional as F

from mmrev.errors import ConfigError
from mmrev.visualization import scale_attention_figures
from mmrev.visualization.samples import look
from mmrev.visualization.scale_attention_figures import draw_scale_attention_figures, location_maps, recalibration_maps

PAIR = (3, 8)
BILINEAR = dict(size=(48, 64), mode='bilinear')


def seen(folder, baseline=False, **fusion):
    """Two samples, and the attention maps behind the prediction for the first."""
    cfg = tiny_runs.segmentation(folder)
    cfg.model.decode_head.type = 'mmrev.LargeFOVHead'
    others = [MODELS.build(cfg.model).eval()] if baseline else []
    cfg.model.fusion = dict(
        type='mmrev.ScaleAttentionHead',
        in_channels=[4, 8],
        num_classes=11,
        dilations=(2, 1),
        channels=8,
        scale_channels=4,
        **fusion,
    )
    model, used = MODELS.build(cfg.model).eval(), []
    handle = model.fusion.register_forward_hook(lambda module, inputs, maps: used.append(maps))
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    samples = [look(dataset[index], [*others, model]) for index in range(2)]
    handle.remove()
    return samples, used[0], dataset.metainfo


@pytest.fixture
def panels(monkeypatch):
    """The rows and titles of each picture, by file name."""
    drawn = {}

    def keep(path, rows, titles):
        drawn[path.name] = rows, titles
        return path

    monkeypatch.setattr(scale_attention_figures, 'save_panel', keep)
    return drawn


def test_the_maps_are_those_of_the_prediction(tmp_path):
    (sample, _), used, _ = seen(tmp_path)
    attention = location_maps(sample)
    np.testing.assert_allclose(attention.sum(0), np.ones((48, 64)), rtol=1e-6)
    np.testing.assert_allclose(attention, F.interpolate(used.attention, **BILINEAR)[0], rtol=1e-5)
    np.testing.assert_allclose(
        recalibration_maps(sample, PAIR), F.interpolate(used.recalibration, **BILINEAR)[0, PAIR], rtol=1e-5
    )
    assert attention.std() > 1e-3 and len(attention) == 2


def test_a_bias_is_squashed(tmp_path, panels):
    samples, used, metainfo = seen(tmp_path, recalibration='add')
    bias = F.interpolate(used.recalibration.sigmoid(), **BILINEAR)[0, PAIR]
    np.testing.assert_allclose(recalibration_maps(samples[0], PAIR), bias, rtol=1e-5)
    draw_scale_attention_figures(tmp_path, samples, [], metainfo, PAIR, rows=1)
    assert panels['figure3_recalibration.png'][1][2:] == ['sigmoid(bias): road', 'sigmoid(bias): car']


@pytest.mark.parametrize('baselines', [[], ['baseline']])
def test_columns_and_rows(tmp_path, panels, monkeypatch, baselines):
    samples, _, metainfo = seen(tmp_path, baseline=bool(baselines))
    monkeypatch.setattr(scale_attention_figures, 'by_difference', lambda samples: samples[::-1])
    monkeypatch.setattr(scale_attention_figures, 'by_confusion', lambda samples, pair: samples)
    files = draw_scale_attention_figures(tmp_path, samples, baselines, metainfo, PAIR, rows=1)
    assert [file.name for file in files] == list(panels) == ['figure3.png', 'figure3_recalibration.png']

    (row,), titles = panels['figure3.png']
    assert titles == ['image', 'ground truth', *baselines, 'ours', 'attention: scale 1', 'attention: scale 0.5']
    chosen = samples[1 if baselines else 0]
    assert len(row) == len(titles) and row[0] is chosen.image
    np.testing.assert_array_equal(row[-2:], location_maps(chosen))
    (row,), titles = panels['figure3_recalibration.png']
    assert titles == ['image', 'ground truth', 'recalibration: road', 'recalibration: car']
    assert len(row) == 4 and row[0] is samples[0].image
    np.testing.assert_array_equal(row[2:], recalibration_maps(samples[0], PAIR))


def test_without_the_branch_there_is_no_picture_of_it(tmp_path, panels):
    samples, _, metainfo = seen(tmp_path, recalibration=None)
    draw_scale_attention_figures(tmp_path, samples, [], metainfo, PAIR, rows=2)
    assert list(panels) == ['figure3.png'] and len(panels['figure3.png'][0]) == 2


@pytest.mark.parametrize('maps', [location_maps, lambda sample: recalibration_maps(sample, PAIR)])
def test_another_fusion_has_no_maps(tmp_path, maps):
    cfg = tiny_runs.segmentation(tmp_path)
    sample = look(DATASETS.build(cfg.test_dataloader.dataset)[0], [MODELS.build(cfg.model).eval()])
    with pytest.raises(ConfigError, match='only a fusion of type mmrev.ScaleAttentionHead has attention maps'):
        maps(sample)
