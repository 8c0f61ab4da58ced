"""Half precision, channels-last memory and activation checkpointing: forward and backward, against plain float32."""

from functools import partial

import pytest
import torch
from model_parts import PARTS, awake, flat
from stacks import UPSTREAM
from torch.utils.checkpoint import checkpoint

HALF = [
    'RA',
    'RAN simple',
    'RAN normalized',
    'RAN dual',
    'RANet',
    'RANet image',
    'RAResNet',
    'RAMobileNetV2',
    'scale attention',
    'three scales',
    'hypercolumn',
]


def mapped(inputs, change):
    return tuple([change(part) for part in each] if isinstance(each, list) else change(each) for each in inputs)


def results(module, run, inputs):
    """The outputs, and the gradients of all parameters that have one."""
    module.zero_grad()
    found = flat(run(*inputs))
    sum(part.float().square().mean() for part in found).backward()
    gradients = [part.grad.clone() for part in module.parameters() if part.grad is not None]
    assert found and gradients
    return [part.detach() for part in found], gradients


def joined(parts):
    return torch.cat([part.float().flatten() for part in parts])


def half_is_close(name, kind, tolerance):
    make, given = PARTS[name]
    module, inputs = awake(make()), given()
    expected = results(module, module, inputs)
    with torch.autocast('cpu', kind):
        found = results(module, module, inputs)
    for single, half in zip(map(joined, expected), map(joined, found), strict=True):
        assert half.isfinite().all()
        assert (single - half).norm() < tolerance * single.norm()


@pytest.mark.parametrize('name', HALF)
def test_bfloat16_is_close_to_float32(name):
    half_is_close(name, torch.bfloat16, 0.1)


@pytest.mark.skipif(UPSTREAM, reason='torch 2.1 has no float16 on a CPU')
@pytest.mark.parametrize('name', HALF)
def test_float16_is_close_to_float32(name):
    half_is_close(name, torch.float16, 0.02)


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        for pair in zip(one, other, strict=True):
            torch.testing.assert_close(*pair)


@pytest.mark.parametrize('name', HALF)
def test_channels_last_is_the_same(name):
    make, given = PARTS[name]
    module, inputs = awake(make()).double(), mapped(given(), torch.Tensor.double)
    expected = results(module, module, inputs)
    module.to(memory_format=torch.channels_last)
    last = mapped(inputs, lambda part: part.contiguous(memory_format=torch.channels_last))
    assert_same(results(module, module, last), expected)


@pytest.mark.parametrize('name', HALF)
def test_activation_checkpointing_is_the_same(name):
    """Checkpoints inside a backbone (``with_cp``) are tested with the backbone."""
    make, given = PARTS[name]
    module, inputs = awake(make()), given()
    expected = results(module, module, inputs)
    assert_same(results(module, partial(checkpoint, module, use_reentrant=False), inputs), expected)
