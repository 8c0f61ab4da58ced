"""Tiny models that show something, a page with them, and a picture."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pictures import save
from trained_models import save_model, save_segmenter

from mmrev.prediction import Predictor
from mmrev.web.exhibit import Exhibit
from mmrev.web.uploads import Limits

SCALE_ATTENTION = dict(
    type='mmrev.ScaleAttentionHead', in_channels=[4, 8], num_classes=11, dilations=(2, 1), channels=8, scale_channels=4
)
# the changes of tiny_runs.segmentation
MODELS = {
    'plain': {'model.decode_head.type': 'mmrev.LargeFOVHead'},
    'dual': {'model.decode_head.mode': 'dual'},
    'wrapper': {
        'model.decode_head': dict(type='mmrev.ReverseAttentionWrapper', head='FCNHead', channels=8, num_convs=1)
    },
    'ran': {},
    'scales': {'model.decode_head.type': 'mmrev.LargeFOVHead', 'model.fusion': SCALE_ATTENTION},
    'recalibration': {
        'model.decode_head.type': 'mmrev.LargeFOVHead',
        'model.fusion': dict(SCALE_ATTENTION, recalibration='add'),
    },
    'regions': {
        'model.decode_head.type': 'mmrev.RegionAttentionHead',
        'model.decode_head.channels': 8,
        'model.decode_head.num_representatives': 2,
    },
    'gates': {'model.decode_head.type': 'mmrev.LargeFOVHead', 'model.backbone.type': 'mmrev.RAResNet'},
    'all': {
        'model.backbone.type': 'mmrev.RAResNet',
        'model.decode_head': dict(
            type='mmrev.ReverseAttentionWrapper', head='mmrev.RegionAttentionHead', channels=8, num_representatives=2
        ),
        'model.fusion': SCALE_ATTENTION,
    },
}


@pytest.fixture(scope='session')
def exhibit_of(tmp_path_factory) -> Callable[[str], Exhibit]:
    """A function that returns the model of a name, with eleven classes."""
    made = {}

    def exhibit(name: str) -> Exhibit:
        if name not in made:
            files = save_model(tmp_path_factory.mktemp(name), 'segmentation', **MODELS[name])
            made[name] = Exhibit(name, Predictor(*files, device='cpu'), Limits())
        return made[name]

    return exhibit


@pytest.fixture(scope='session')
def segmenter(tmp_path_factory) -> tuple[str, str]:
    return save_segmenter(tmp_path_factory.mktemp('segmenter'))


@pytest.fixture(scope='session')
def classifier(tmp_path_factory) -> tuple[str, str]:
    meta = dict(dataset_meta=dict(classes=['cat', 'dog']))
    changes = {'model.backbone': dict(type='mmrev.RAResNet', depth=18, stem_channels=4, base_channels=4)}
    return save_model(tmp_path_factory.mktemp('classifier'), 'classification', meta, **changes)


@pytest.fixture(scope='session')
def photo(tmp_path_factory) -> str:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    return str(save(tmp_path_factory.mktemp('photos') / 'photo.png', image))


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder whose name must not be on the page."""
    secret = tmp_path / 'secret folder'
    secret.mkdir()
    return secret
