"""Two and three processes train as one process with the whole batch. docs/training.md says what differs, and why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from split_training import CASES, DIFFERENT, STEPS, WORLDS


@pytest.fixture(scope='module')
def seen(tmp_path_factory):
    """The records of 1, 2 and 3 processes: number of processes -> case -> losses, gradients, weights."""
    folder = tmp_path_factory.mktemp('worlds')
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', Path(__file__).parents[1] / 'split_training.py', folder],
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {world: torch.load(folder / f'{world}.pth', weights_only=True) for world in WORLDS}


def assert_close(ours, expected, tolerance):
    """Compares nested results. The error of a tensor is measured by its norm: single gradients may be next to 0."""
    if isinstance(expected, dict):
        assert list(ours) == list(expected)
        for name, value in expected.items():
            assert_close(ours[name], value, tolerance)
    elif isinstance(expected, list):
        assert len(ours) == len(expected)
        for pair in zip(ours, expected, strict=True):
            assert_close(*pair, tolerance)
    elif expected is None:
        assert ours is None
    else:
        assert expected.isfinite().all()
        assert (ours - expected).norm() <= tolerance * expected.norm() + 1e-15


@pytest.mark.parametrize('processes', [2, 3])
@pytest.mark.parametrize('case', CASES)
def test_losses_gradients_and_weights_are_those_of_one_process(seen, case, processes):
    one, several = seen[1][case], seen[processes][case]
    assert len(one['losses']) >= len(one['gradients']) == STEPS
    assert_close(several['losses'], one['losses'], 1e-6)  # mmseg's binary cross entropy is in float32
    assert_close(several['gradients'], one['gradients'], 1e-9)
    assert_close(several['weights'], one['weights'], 1e-9)


@pytest.mark.parametrize('case', CASES)
def test_the_parameters_learn(seen, case):
    gradients = seen[1][case]['gradients'][0]
    unused = {name for name, gradient in gradients.items() if gradient is None}
    assert bool(unused) == case.startswith('unused') and all('layer3' in name for name in unused)
    still = {name for name, gradient in gradients.items() if gradient is not None and not gradient.abs().max() > 1e-9}
    assert len(still) < len(gradients) / 4, still


@pytest.mark.parametrize('processes', [2, 3])
@pytest.mark.parametrize('case', DIFFERENT)
def test_what_the_documentation_calls_different(seen, case, processes):
    gradients = [seen[world][case]['gradients'][0]['decode_head.conv_org.weight'] for world in (1, processes)]
    assert (gradients[0] - gradients[1]).norm() > 1e-3 * gradients[0].norm()
