"""The examples run, in seconds, and what they print is so."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / 'examples'
# example: the packages that it needs
NEEDS = {
    'timm_reverse_attention': ('timm',),
    'smp_scale_attention': ('segmentation_models_pytorch',),
    'torchvision_region_attention': ('torchvision',),
    'transformers_ra_net': ('transformers', 'accelerate'),
}


def run(name: str) -> str:
    for package in NEEDS[name]:
        if not find_spec(package):
            pytest.skip(f'{package} is not installed: make test-plain installs it')
    command = [sys.executable, '-W', 'ignore', str(FOLDER / f'{name}.py')]
    # threads of several processes on few cores would wait for each other
    env = dict(os.environ, OMP_NUM_THREADS='1')
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER.parent, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def percent(text: str, what: str) -> int:
    found = re.search(rf'{what} (\d+) %', text)
    assert found, text
    return int(found[1])


def test_every_example_is_tested_and_short():
    files = {path.stem: path for path in FOLDER.glob('*.py')}
    assert files.keys() == {*NEEDS, 'toy'}
    for path in files.values():
        lines = [line for line in path.read_text().splitlines() if line.strip()]
        assert len(lines) <= 50, path
        assert path.stem == 'toy' or f'python examples/{path.name}' in lines[1]


def test_ran_on_timm():
    printed = run('timm_reverse_attention')
    assert percent(printed, 'combined') > 60
    assert all(float(loss) < 1 for loss in re.findall(r'(?:combined|original|reverse) (\d\.\d+)', printed))


def test_scale_attention_on_smp():
    printed = run('smp_scale_attention')
    assert percent(printed, 'fused') > 60
    shares = [float(share) for share in re.findall(r'\d\.\d+', printed.splitlines()[-1].partition('[')[2])]
    assert len(shares) == 2 and sum(shares) == pytest.approx(1, abs=0.02)


def test_region_attention_in_torchvision():
    printed = run('torchvision_region_attention')
    assert 'fine' in printed and float(re.search(r'([\d.]+) regions an image', printed)[1]) >= 1
    assert percent(printed, 'squares:') > 80


def test_ra_net_with_the_trainer_of_transformers():
    printed = run('transformers_ra_net')
    assert 'the gates change the output before the training: False' in printed
    assert percent(printed, 'pictures:') > 80
    assert '5 gates' in printed and float(re.search(r'mean \|gamma\| ([\d.]+)', printed)[1]) > 0
