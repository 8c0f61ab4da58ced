from pathlib import Path

import pytest
from trained_models import save_segmenter


@pytest.fixture(scope='session')
def segmenter(tmp_path_factory) -> tuple[str, str]:
    return save_segmenter(tmp_path_factory.mktemp('segmenter'))


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder, in which the test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
