import numpy as np
import pytest
import torch
from reference import ra_net
from torch.nn import functional as F

from mmrev.models.layers import CBAM, CBAMAddition, ReverseAttentionAddition, SEAddition, SqueezeExcitation


def random_parameters(module):
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)
    return module.double()


def pair():
    return torch.randn(2, 32, 5, 3, dtype=torch.float64), torch.randn(2, 32, 5, 3, dtype=torch.float64)


def test_equation_2():
    module, (residual, shortcut) = random_parameters(ReverseAttentionAddition(32)), pair()
    module.gate.temperature.fill_(3)
    gate = ra_net.gate(residual.numpy(), module.gate.gamma.detach().numpy(), 3)
    expected = ra_net.residual_sum(residual.numpy(), shortcut.numpy(), gate)
    np.testing.assert_allclose(module(residual, shortcut).detach().numpy(), expected, rtol=1e-12)


def test_a_new_addition_is_exactly_equation_1():
    residual, shortcut = (feature.float() for feature in pair())
    assert torch.equal(ReverseAttentionAddition(32)(residual, shortcut), residual + shortcut)


def test_no_residual_gives_the_shortcut():
    module, (residual, shortcut) = random_parameters(ReverseAttentionAddition(32)), pair()
    assert torch.equal(module(torch.zeros_like(residual), shortcut), shortcut)


@pytest.mark.parametrize('memory', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('options', [dict(), dict(aggregation='gap'), dict(normalization='ln')], ids=str)
def test_gradients(memory, options):
    module = random_parameters(ReverseAttentionAddition(4, **options))
    residual, shortcut = (
        torch.randn(2, 4, 3, 3, dtype=torch.float64).contiguous(memory_format=memory).requires_grad_() for _ in range(2)
    )
    assert torch.autograd.gradcheck(module, (residual, shortcut))
    assert torch.autograd.gradgradcheck(module, (residual, shortcut))
    gamma = module.gate.gamma.detach().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda gamma: torch.func.functional_call(module, {'gate.gamma': gamma}, (residual, shortcut)), gamma
    )


def test_gradients_are_those_of_the_plain_formula():
    module, (residual, shortcut), direction = random_parameters(ReverseAttentionAddition(32)), pair(), pair()[0]
    found = []
    for add in (module, lambda f, x: f + module.gate(f) * x):
        module.zero_grad()
        leaves = residual.clone().requires_grad_(), shortcut.clone().requires_grad_()
        add(*leaves).backward(direction)
        found.append([*(leaf.grad for leaf in leaves), module.gate.gamma.grad.clone()])
    torch.testing.assert_close(*found)


def test_in_place_it_is_the_same_and_only_without_gradients():
    module, (residual, shortcut) = random_parameters(ReverseAttentionAddition(32, inplace=True)), pair()
    before = residual.clone()
    expected = module(residual, shortcut)
    assert torch.equal(residual, before)
    with torch.no_grad():
        found = module(residual, shortcut)
    assert torch.equal(found, expected) and found.data_ptr() == residual.data_ptr()


@pytest.mark.parametrize('memory', [torch.contiguous_format, torch.channels_last])
def test_gradients_at_zero_are_finite(memory):
    module = random_parameters(ReverseAttentionAddition(4))
    residual = torch.zeros(2, 4, 3, 3, dtype=torch.float64).contiguous(memory_format=memory).requires_grad_()
    module(residual, torch.ones_like(residual)).sum().backward()
    assert (residual.grad == 1).all()


def test_mixed_precisions_of_the_branches():
    module = ReverseAttentionAddition(32).requires_grad_()
    residual, shortcut = (feature.float() for feature in pair())
    half = residual.bfloat16().requires_grad_()
    module(half, shortcut).sum().backward()
    assert half.grad.dtype == torch.bfloat16 and half.grad.isfinite().all()


@pytest.mark.parametrize(('dead', 'scale'), [(1e-5, 1024), (1e-7, 1)])
def test_float16_gradients_of_a_channel_that_is_all_but_dead(dead, scale):
    module, (residual, shortcut) = ReverseAttentionAddition(32), pair()
    torch.nn.init.normal_(module.gate.gamma)
    residual[:, 0] *= dead
    found = []
    for dtype in (torch.float16, torch.float32):
        leaf = residual.half().to(dtype).requires_grad_()
        (module(leaf, shortcut.to(dtype)) * scale).sum().backward()
        found.append(leaf.grad.float())
    assert found[0].isfinite().all()
    torch.testing.assert_close(*found, rtol=0.01, atol=0.01 * scale)


def test_gradients_by_sample():
    module, (residual, shortcut) = random_parameters(ReverseAttentionAddition(32)), pair()
    found = torch.func.vmap(torch.func.grad(lambda f, x: module(f[None], x[None]).square().sum()))(residual, shortcut)
    leaf = residual.clone().requires_grad_()
    module(leaf, shortcut).square().sum().backward()
    torch.testing.assert_close(found, leaf.grad)


def test_compiled_it_is_the_same():
    module, (residual, shortcut) = random_parameters(ReverseAttentionAddition(32)), pair()
    found = []
    for add in (module, torch.compile(module, backend='aot_eager', fullgraph=True)):
        leaf = residual.clone().requires_grad_()
        out = add(leaf, shortcut)
        out.sum().backward()
        found.append((out, leaf.grad))
    torch.testing.assert_close(*found)


def test_squeeze_and_excitation():
    module, (residual, shortcut) = random_parameters(SEAddition(32)), pair()
    squeeze, excite = module.gate[0], module.gate[2]
    hidden = np.maximum(
        residual.numpy().mean((2, 3)) @ squeeze.weight[..., 0, 0].detach().numpy().T + squeeze.bias.detach().numpy(), 0
    )
    gate = 1 / (1 + np.exp(-(hidden @ excite.weight[..., 0, 0].detach().numpy().T + excite.bias.detach().numpy())))
    expected = residual.numpy() * gate[..., None, None] + shortcut.numpy()
    np.testing.assert_allclose(module(residual, shortcut).detach().numpy(), expected, rtol=1e-10)


def test_cbam():
    module, (residual, shortcut) = random_parameters(CBAMAddition(32)), pair()

    def mlp(layers, pooled):
        hidden = F.relu(F.linear(pooled, layers[0].weight[..., 0, 0], layers[0].bias))
        return F.linear(hidden, layers[2].weight[..., 0, 0], layers[2].bias)

    by_channel = torch.sigmoid(
        mlp(module.average_mlp, residual.mean((2, 3))) + mlp(module.maximum_mlp, residual.flatten(2).max(2).values)
    )
    scaled = residual * by_channel[..., None, None]
    both = torch.stack([scaled.mean(1), scaled.max(1).values], 1)
    expected = scaled * torch.sigmoid(F.conv2d(both, module.spatial.weight, padding=3)) + shortcut
    torch.testing.assert_close(module(residual, shortcut), expected)


@pytest.mark.parametrize('channels', [8, 16, 24, 256])
def test_parameter_counts(channels):
    squeezed = max(channels // 16, 1)
    mlp = 2 * channels * squeezed + squeezed + channels
    for module, expected in (
        (ReverseAttentionAddition(channels), channels),
        (SqueezeExcitation(channels), mlp),
        (CBAM(channels), 2 * mlp + 2 * 7 * 7),
    ):
        assert sum(parameter.numel() for parameter in module.parameters()) == expected
