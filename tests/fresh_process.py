"""Runs code in a new Python process, where some packages seem to be missing."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ABSENT = """
import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition('.')[0] in {absent} else super().find_spec(name, path, target)

sys.meta_path = [Without if finder is PathFinder else finder for finder in sys.meta_path]
assert not any(map(find_spec, {absent}))
"""


def run_fresh(
    code: str, absent: Sequence[str] = (), path: Sequence[str | Path] = (), cwd: str | Path | None = None
) -> str:
    """Runs the code and returns its output. ``path`` comes before the installed packages. A failure shows stderr."""
    paths = [*map(str, path), str(Path(__file__).parent), *filter(None, [os.environ.get('PYTHONPATH')])]
    env = {**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': os.pathsep.join(paths)}
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', ABSENT.format(absent=tuple(absent)) + code],
        env=env,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def fake_distributions(folder: Path, *distributions: tuple[str, str]) -> None:
    """Writes the metadata of distributions that are not installed, given as (name, version)."""
    for name, version in distributions:
        info = folder / f'{name.replace("-", "_")}-{version}.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n')
