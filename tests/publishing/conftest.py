"""A trained segmenter, and its published folder."""

from pathlib import Path

import pytest
from trained_models import save_segmenter

from mmrev.publishing import publish


@pytest.fixture(scope='module')
def segmenter(tmp_path_factory) -> tuple[str, str]:
    return save_segmenter(tmp_path_factory.mktemp('segmenter'))


@pytest.fixture
def published(segmenter, tmp_path) -> Path:
    config, checkpoint = segmenter
    return publish(checkpoint, config, tmp_path / 'published').folder
