"""The scores of each class after a test, against a plain restatement and mmseg's own figures."""

import csv
import json

import numpy as np
import pytest
import tiny_runs
import torch

from mmrev.cli import test, train
from mmrev.engine.per_class_metric import PerClassMetric
from mmrev.evaluation.class_scores import class_scores, confusion_of


def sample(truth, prediction, path=''):
    maps = dict(gt_sem_seg=truth, pred_sem_seg=prediction)
    data = {key: dict(data=torch.as_tensor(value)[None]) for key, value in maps.items()}
    return dict(data, img_path=path)


def test_the_scores_are_those_of_a_plain_loop():
    rng = np.random.default_rng(0)
    truth, prediction = rng.integers(0, 4, (9, 7)), rng.integers(0, 4, (9, 7))
    truth[0] = 255
    scores = class_scores(confusion_of(truth, prediction, 5))
    for index in range(4):
        both = sum(t == p == index for t, p in zip(truth.flat, prediction.flat, strict=True))
        true = sum(t == index for t in truth.flat)
        guessed = sum(p == index and t != 255 for t, p in zip(truth.flat, prediction.flat, strict=True))
        assert scores.iou[index] == pytest.approx(100 * both / (true + guessed - both))
        assert scores.recall[index] == pytest.approx(100 * both / true)
        assert scores.precision[index] == pytest.approx(100 * both / guessed)
        assert scores.share[index] == pytest.approx(100 * true / 56)
    assert np.isnan([scores.iou[4], scores.recall[4], scores.precision[4]]).all() and scores.share[4] == 0


def test_the_maps_of_the_worst_images_alone_are_kept(tmp_path):
    metric = PerClassMetric(tmp_path, num_worst=2)
    metric.dataset_meta = dict(classes=('a', 'b'))
    truth = np.zeros((1, 10), int)
    for wrong in (3, 9, 0, 5, 1):
        prediction = truth.copy()
        prediction[0, :wrong] = 1
        metric.process({}, [sample(truth, prediction, f'{wrong}.png')])
    assert [result.path for result in metric.results if result.maps] == ['9.png', '5.png']
    metric.evaluate(size=5)
    rows = list(csv.reader((tmp_path / 'images.csv').open()))
    assert [row[0] for row in rows] == ['image', '9.png', '5.png', '3.png', '1.png', '0.png']


def test_images_without_masks_are_left_out(tmp_path):
    metric = PerClassMetric(tmp_path / 'out')
    metric.dataset_meta = dict(classes=('a', 'b'))
    metric.process({}, [dict(pred_sem_seg=dict(data=torch.zeros(1, 2, 2)))])
    assert metric.results == [] and metric.compute_metrics([]) == {}
    assert not (tmp_path / 'out').exists()


def test_a_test_writes_its_classes(tmp_path, capfd):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    config = tiny_runs.save(cfg, tmp_path / 'c.py')
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'w') == 0
    assert tiny_runs.call(test.main, config, tmp_path / 'w/iter_2.pth', '--work-dir', tmp_path / 't') == 0
    out = capfd.readouterr().out
    (folder,) = (tmp_path / 't').glob('*/per_class')
    assert f'classes, confusions and the worst images: {folder}' in out
    (metrics,) = (tmp_path / 't').glob('*/*.json')
    found = json.loads((folder / 'classes.json').read_text())
    assert found['mIoU'] == pytest.approx(json.loads(metrics.read_text())['mIoU'], abs=0.006)
    assert list(found['classes'])[:2] == ['sky', 'building'] and len(found['confusion']) == 11
    rows = list(csv.DictReader((folder / 'classes.csv').open()))
    assert [row['class'] for row in rows] == list(found['classes'])
    assert sum(float(row['share']) for row in rows) == pytest.approx(100, abs=0.01)
    assert len((folder / 'images.csv').read_text().splitlines()) == 5
    for name in ('confusion.png', 'worst_images.png'):
        assert (folder / name).read_bytes()[1:4] == b'PNG'
