"""The views of each model, against the model's own maps."""

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from torch.nn import functional as F

from mmrev.errors import DataError
from mmrev.models.layers import reverse_attention
from mmrev.prediction import Predictor
from mmrev.prediction.predictor import as_source
from mmrev.web.exhibit import Exhibit
from mmrev.web.pictures import heat
from mmrev.web.uploads import Limits

TITLES = {
    'plain': [],
    'dual': [],
    'ran': ['Reverse attention'],
    'wrapper': ['Reverse attention'],
    'scales': ['Scale attention'],
    'recalibration': ['Scale attention'],
    'regions': ['Regions'],
    'gates': ["RA-Net's gates"],
    'all': ['Reverse attention', 'Scale attention', 'Regions', "RA-Net's gates"],
}
SIZE = (384, 512)  # of the photo on the page


def resized(maps: torch.Tensor) -> np.ndarray:
    return F.interpolate(maps, SIZE, mode='bilinear', align_corners=False)[0].detach().numpy()


def inputs(exhibit, photo) -> torch.Tensor:
    item = exhibit.predictor.reader.read(as_source(photo)).item
    return exhibit.predictor.model.data_preprocessor(pseudo_collate([item]))['inputs']


@pytest.mark.parametrize('name', TITLES)
def test_a_model_shows_what_it_has(name, exhibit_of, photo):
    exhibit = exhibit_of(name)
    assert [view.title for view in exhibit.views] == TITLES[name]
    for index, view in enumerate(exhibit.views):
        drawn = exhibit.pictures(photo, index)
        assert drawn and all(picture.dtype == np.uint8 and picture.ndim == 3 and caption for picture, caption in drawn)
        assert view.text.endswith('.')


@pytest.mark.parametrize('name', ['ran', 'wrapper'])
def test_reverse_attention_of_a_class(name, exhibit_of, photo):
    exhibit = exhibit_of(name)
    model, road = exhibit.predictor.model, exhibit.views[0].choices.index('road')
    scores = model.score_maps(inputs(exhibit, photo))
    drawn = exhibit.pictures(photo, 0, road)
    expected = [scores.original.softmax(1), reverse_attention(scores.original), scores.combined.softmax(1)]
    captions = ['road: before', 'road: reverse attention', 'road: after']
    assert [caption for _, caption in drawn] == ['picture', *captions]
    assert drawn[0][0].shape == (*SIZE, 3)
    for (picture, _), maps in zip(drawn[1:], expected, strict=True):
        np.testing.assert_array_equal(picture, heat(resized(maps)[road]))


@pytest.mark.parametrize(
    ('name', 'last'), [('scales', 'recalibration'), ('recalibration', 'recalibration (sigmoid of the bias)')]
)
def test_attention_to_each_scale(name, last, exhibit_of, photo):
    exhibit = exhibit_of(name)
    maps = exhibit.predictor.model.attention_maps(inputs(exhibit, photo))
    car = exhibit.views[0].choices.index('car')
    drawn = exhibit.pictures(photo, 0, car)
    assert [caption for _, caption in drawn] == ['picture', 'scale 1', 'scale 0.5', f'car: {last}']
    weights = resized(maps.attention)
    np.testing.assert_allclose(weights.sum(0), 1, rtol=1e-5)
    factors = maps.recalibration if name == 'scales' else maps.recalibration.sigmoid()
    for (picture, _), values in zip(drawn[1:], [*weights, resized(factors)[car]], strict=True):
        np.testing.assert_array_equal(picture, heat(values))


def test_regions_and_their_representatives(exhibit_of, photo):
    exhibit = exhibit_of('regions')
    model = exhibit.predictor.model
    found = model.decode_head.regions(model.extract_feat(inputs(exhibit, photo)))
    (regions, caption), (scores, _) = exhibit.pictures(photo, 0)
    assert caption == f'{len(found.labels.unique())} regions, {int(found.representatives.sum())} representatives'
    assert regions.shape == scores.shape == (*SIZE, 3)
    corner = heat(found.scores[0, :1].detach().numpy()[None])[0, 0]
    np.testing.assert_array_equal(scores[0, 0], corner)


def test_gates_of_a_picture(exhibit_of, photo):
    exhibit, means = exhibit_of('gates'), []
    model = exhibit.predictor.model
    computed = exhibit.views[0].compute(exhibit._open(photo)[0])
    for name, gate in model.backbone.named_modules():
        if name.endswith('.gate'):
            gate.register_forward_hook(lambda module, args, output: means.append(output.flatten().detach().numpy()))
    model.backbone(inputs(exhibit, photo))
    assert len(computed) == len(means) == 4
    for statistics, mean in zip(computed.values(), means, strict=True):
        np.testing.assert_allclose(statistics.mean, mean, rtol=1e-6)


def test_another_class_does_not_run_the_network(exhibit_of, photo, monkeypatch):
    exhibit = exhibit_of('ran')
    exhibit.pictures(photo, 0, 1)
    monkeypatch.setattr(exhibit.predictor.model, 'extract_feat', None)
    first, second = exhibit.pictures(photo, 0, 1), exhibit.pictures(photo, 0, 2)
    assert any((one != other).any() for (one, _), (other, _) in zip(first, second, strict=True))


def test_a_view_that_fails_is_one_line(segmenter, photo, monkeypatch):
    exhibit = Exhibit('tiny', Predictor(*segmenter, device='cpu'), Limits())

    def fail(opened):
        raise RuntimeError('out of\nmemory')

    exhibit.result(photo)
    monkeypatch.setattr(exhibit.views[0], 'compute', fail)
    with pytest.raises(DataError, match=r'^Reverse attention: the model fails on this picture \(out of memory\)$'):
        exhibit.pictures(photo, 0)


def test_a_classifier_shows_its_gates(classifier, photo):
    exhibit = Exhibit('cats', Predictor(*classifier, device='cpu'), Limits())
    assert [view.title for view in exhibit.views] == ["RA-Net's gates"]
    assert exhibit.pictures(photo, 0)[0][1].startswith('8 blocks; the mean gate of a block is 1.00 to 1.00')
