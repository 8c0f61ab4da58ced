from pathlib import Path

import pytest
from stacks import NOT_UPSTREAM

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize('beginning', NOT_UPSTREAM)
def test_what_one_stack_cannot_run_exists(beginning):
    path, _, test = beginning.partition('::')
    assert f'def {test.partition("[")[0]}' in (ROOT / path).read_text()
