"""``torch.compile`` of layers, heads, backbones and segmentors in one graph."""

import pytest
import torch
from model_parts import PARTS, awake, flat
from stacks import UPSTREAM

pytestmark = pytest.mark.skipif(UPSTREAM, reason='torch 2.1 leaves its graphs at list.index and at autograd.Function')


@pytest.mark.parametrize('name', PARTS)
def test_one_graph(name):
    """Without a graph break, with the same numbers and gradients."""
    torch._dynamo.reset()
    make, given = PARTS[name]
    module, inputs = awake(make()), given()
    outputs, gradients = [], []
    for run in (module, torch.compile(module, backend='aot_eager', fullgraph=True)):
        module.zero_grad()
        found = flat(run(*inputs))
        sum(part.square().mean() for part in found).backward()
        outputs.append(found)
        gradients.append([part.grad for part in module.parameters()])
    assert outputs[0] and any(gradient is not None for gradient in gradients[0])
    for pair in zip(*outputs, strict=True):
        torch.testing.assert_close(*pair)
    for pair in zip(*gradients, strict=True):
        torch.testing.assert_close(*pair, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize('name', ['RA', 'RAN normalized', 'RANet', 'hypercolumn'])
def test_inductor(name):
    torch._dynamo.reset()
    make, given = PARTS[name]
    module, inputs = awake(make()), given()
    found = flat(torch.compile(module, fullgraph=True)(*inputs))
    for pair in zip(found, flat(module(*inputs)), strict=True):
        torch.testing.assert_close(*pair, rtol=1e-4, atol=1e-5)
