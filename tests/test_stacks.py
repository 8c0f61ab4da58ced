import subprocess
import sys
from pathlib import Path

import pytest
from stacks import NOT_UPSTREAM, UPSTREAM

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize('beginning', NOT_UPSTREAM)
def test_what_one_stack_cannot_run_exists(beginning):
    path, _, test = beginning.partition('::')
    assert f'def {test.partition("[")[0]}' in (ROOT / path).read_text()


@pytest.mark.skipif(not UPSTREAM, reason='on the maintained stack, make test collects all of them')
def test_all_tests_can_be_collected():
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', '--collect-only', '-q', '-p', 'no:cacheprovider'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert done.stdout.count('::test_') > 5000
