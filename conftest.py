from importlib.util import find_spec

import pytest
import torch

pytest_plugins = ['stacks']  # skips the tests that this stack cannot run
# restated equations, without tests; files of one name, which --doctest-modules would import as one
collect_ignore_glob = ['tests/reference/*', 'tests/*/conftest.py']
pytest.register_assert_rewrite('checks.model_checks', 'checks.backbone_checks')
torch.set_num_threads(1)  # pytest-xdist runs one worker a core


@pytest.fixture(autouse=True)
def _same_start():
    torch.manual_seed(0)
    if not find_spec('mmengine'):  # make test-plain
        yield
        return
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope('mmseg'):
        yield
