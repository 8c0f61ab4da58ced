"""The prediction on the page, against the model's own."""

from pathlib import Path

import numpy as np
import pytest
import tiny_runs
from trained_models import CLASSES, save_model, save_segmenter

from mmrev.hosts import host_problem
from mmrev.prediction import Predictor
from mmrev.visualization.overlay import blend
from mmrev.web.exhibit import Exhibit
from mmrev.web.pictures import to_page
from mmrev.web.results import SCORE_THR, difference
from mmrev.web.uploads import Limits


def exhibit(files: tuple[str, str]) -> Exhibit:
    return Exhibit('tiny', Predictor(*files, device='cpu'), Limits())


def test_regions_cover_the_picture_and_shares_are_those_of_the_mask(segmenter, photo):
    shown = exhibit(segmenter)
    result, prediction = shown.result(photo), shown.predictor(photo)[0]
    mask = prediction.sample.pred_sem_seg.data[0].numpy()
    shares = {name: float(np.mean(mask == index)) for index, name in enumerate(CLASSES)}
    assert dict(result.scores) == pytest.approx({name: share for name, share in shares.items() if share})
    assert list(result.scores.values()) == sorted(result.scores.values(), reverse=True)
    np.testing.assert_array_equal(sum((region > 0).astype(int) for region, _ in result.regions), 1)
    assert result.colors.items() <= {'sky': '#0a141e', 'road': '#c80000', 'car': '#00c800'}.items()
    assert result.colors.keys() == result.scores.keys()
    large = mask.repeat(8, axis=0).repeat(8, axis=1)
    colors = np.array([[10, 20, 30], [200, 0, 0], [0, 200, 0]], np.uint8)[large]
    np.testing.assert_array_equal(result.drawn, blend(to_page(prediction.picture), colors, 0.6))


def test_the_difference_of_two_models(segmenter, photo, tmp_path):
    one = exhibit(segmenter)
    other = exhibit(save_segmenter(tmp_path / 'other'))
    results = one.result(photo), other.result(photo)
    masks = [shown.predictor(photo)[0].sample.pred_sem_seg.data[0].numpy() for shown in (one, other)]
    share = 100 * np.mean(masks[0] != masks[1])
    expected = f'The two models differ on {share:.1f} % of the pixels.'
    assert difference(*results, one.predictor.classes, other.predictor.classes) == expected
    foreign = exhibit(save_model(tmp_path / 'foreign', 'segmentation'))
    sentence = difference(results[0], foreign.result(photo), one.predictor.classes, foreign.predictor.classes)
    assert sentence == 'The two models have different classes.'


def test_the_scores_of_a_classifier(classifier, photo):
    shown = exhibit(classifier)
    scores = shown.predictor(photo)[0].sample.pred_score.tolist()
    assert dict(shown.result(photo).scores) == pytest.approx(dict(zip(['cat', 'dog'], scores, strict=True)))


@pytest.mark.skipif(bool(host_problem('mmdet', ops=True)), reason='mmdet or its operators are missing')
@pytest.mark.parametrize('masks', [False, True])
def test_the_objects_of_a_detector(masks, photo, tmp_path, monkeypatch):
    plain = tiny_runs.detection
    monkeypatch.setattr(tiny_runs, 'detection', lambda folder: plain(folder, masks=masks))
    shown = exhibit(save_model(Path(tmp_path), 'detection'))
    monkeypatch.setattr('mmrev.web.results.SCORE_THR', 0.0)
    result = shown.result(photo)
    objects = shown.predictor(photo)[0].sample.pred_instances
    assert SCORE_THR == 0.3 and len(result.regions) == len(objects) > 1
    assert list(result.scores.values()) == pytest.approx(objects.scores.tolist())
    assert [name for _, name in result.regions] == list(result.scores) == list(result.colors)
    boxes = objects.bboxes.numpy() * 8
    for (region, _), box, mask in zip(result.regions, boxes, objects.get('masks', boxes), strict=True):
        if masks:
            np.testing.assert_array_equal(region > 0, mask.numpy().repeat(8, axis=0).repeat(8, axis=1))
        else:
            np.testing.assert_allclose(region, box.clip(0, [512, 384] * 2), atol=0.51)
    assert [view.title for view in shown.views] == ["RA-Net's gates"]
    assert shown.pictures(photo, 0)
