from types import SimpleNamespace

import mmcv
import numpy as np
import tiny_runs
import torch
from mmengine.registry import DATASETS
from mmseg.registry import MODELS
from torch.nn import functional as F

from mmrev.visualization.samples import (
    Sample,
    at_image_size,
    by_confusion,
    by_difference,
    inputs_of,
    labelled,
    look,
    most_confused,
)


def sample(truth, *predictions, model=None):
    truth, *predictions = map(np.asarray, (truth, *predictions))
    return Sample(np.full((*truth.shape, 3), 100, np.uint8), truth, tuple(predictions), item={}, model=model)


def test_the_most_confused_pair_and_the_images_that_show_it():
    good, bad = sample([[0, 1, 1, 2]], [[0, 1, 1, 2]]), sample([[1, 2, 2, 255]], [[2, 1, 2, 0]])
    assert most_confused([good, bad], 3) == (1, 2)
    assert by_confusion([good, bad], (1, 2)) == [bad, good]
    background = sample([[0, 0, 1, 2]], [[1, 1, 0, 2]])
    assert most_confused([background], 3) == (0, 1)
    assert most_confused([background], 3, leave_out=[0]) == (1, 2)


def test_the_images_that_two_models_label_most_differently():
    zeros = np.zeros((2, 4))
    alike = sample(zeros, zeros + 1, zeros, zeros + 1)
    apart = sample(zeros[:1], zeros[:1], zeros[:1], [[1, 1, 0, 0]])
    large = sample(zeros, zeros, zeros, np.diag([1, 1, 1, 1])[:2])  # as many pixels
    assert by_difference([alike, large, apart]) == [apart, large, alike]


def test_two_models_predict_an_item(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path)
    item = DATASETS.build(cfg.test_dataloader.dataset)[1]
    models = [MODELS.build(cfg.model).eval() for _ in range(2)]
    seen = look(item, models)
    x = item['inputs'][None].float()
    for model, labels in zip(models, seen.predictions, strict=True):
        with torch.no_grad():
            scores = F.interpolate(model._forward(x), (48, 64), mode='bilinear')
        np.testing.assert_array_equal(labels, scores.argmax(1)[0])
    assert (seen.predictions[0] != seen.predictions[1]).any() and seen.model is models[1]
    assert torch.equal(inputs_of(seen), x)
    np.testing.assert_array_equal(seen.image, mmcv.imread(item['data_samples'].img_path)[..., ::-1])
    np.testing.assert_array_equal(seen.truth, item['data_samples'].gt_sem_seg.data[0])


def test_maps_and_labels_have_the_size_of_the_image():
    for align_corners, expected in ((False, [0, 0.25, 0.75, 1]), (True, [0, 1 / 3, 2 / 3, 1])):
        shown = sample([[0, 1, 1, 255]], [[1, 0, 0, 0]], model=SimpleNamespace(align_corners=align_corners))
        maps = at_image_size(shown, torch.tensor([[[[0.0, 1.0]], [[1.0, 1.0]]]]))
        np.testing.assert_allclose(maps, [[expected], [[1] * 4]], rtol=1e-6)
    image, truth, prediction = labelled(shown, [[0, 0, 0], [255, 0, 0]])
    assert image is shown.image
    assert truth.tolist() == [[[100] * 3, [193, 40, 40], [193, 40, 40], [117] * 3]]
    assert prediction.tolist() == [[[193, 40, 40], *[[100] * 3] * 3]]
