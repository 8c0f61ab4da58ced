"""``torch.compile`` of layers, heads, backbones and segmentors in one graph, and training in half precision."""

import pytest
import torch
from mmengine.registry import MODELS
from stacks import UPSTREAM
from torch import nn

from mmrev.models.layers import CBAM, HypercolumnConv, ModifiedGRN, SqueezeExcitation
from mmrev.models.layers.residual_addition import CBAMAddition, ReverseAttentionAddition, SEAddition

pytestmark = pytest.mark.skipif(UPSTREAM, reason='torch 2.1 leaves its graphs at list.index and at autograd.Function')

SCORES = dict(in_channels=8, in_index=1, num_classes=5)
ATTENTION = dict(type='mmrev.ScaleAttentionHead', in_channels=[4, 8, 16, 32], num_classes=5)
THIN = dict(depth=18, base_channels=4)
RAN = dict(type='mmrev.ReverseAttentionHead', in_channels=32, in_index=3, num_classes=5)
MAP = (2, 8, 6, 7)


def layer(kind, **options):
    return kind(8, **options)


def built(kind, **options):
    return MODELS.build(dict(type=kind, **options))


def segmentor(**options):
    config = dict(backbone=dict(type='mmrev.RAResNet', **THIN), decode_head=RAN, train_cfg={}, test_cfg={}, **options)
    return built('mmrev.MultiScaleEncoderDecoder', **config)


def one():
    return (torch.randn(MAP),)


def two():
    return torch.randn(MAP), torch.randn(MAP)


def features():
    return ([torch.randn(2, 6, 12, 16), torch.randn(2, 8, 6, 8)],)


def images():
    return (torch.randn(2, 3, 64, 48),)


PARTS = {
    **{
        f'gate {options}': (lambda options=options: layer(ModifiedGRN, **options), one)
        for options in (
            {},
            *(dict(aggregation=name) for name in ('l1', 'gap', 'gmp')),
            *(dict(normalization=name) for name in ('none', 'bn', 'ln')),
            *(dict(activation=name) for name in ('sigmoid', 'softmax')),
        )
    },
    'RA': (lambda: layer(ReverseAttentionAddition), two),
    'SE': (lambda: layer(SqueezeExcitation, reduction=2), one),
    'CBAM': (lambda: layer(CBAM, reduction=2), one),
    'SE addition': (lambda: layer(SEAddition, reduction=2), two),
    'CBAM addition': (lambda: layer(CBAMAddition, reduction=2), two),
    'hypercolumn': (lambda: HypercolumnConv([6, 8], 3), features),
    **{
        f'RAN {mode}': (lambda mode=mode: built('mmrev.ReverseAttentionHead', mode=mode, **SCORES), features)
        for mode in ('simple', 'normalized', 'dual')
    },
    'LargeFOV': (lambda: built('mmrev.LargeFOVHead', **SCORES), features),
    'ASPP': (lambda: built('mmrev.ASPPV2Head', **SCORES), features),
    'RANet': (lambda: built('mmrev.RegionAttentionHead', channels=6, **SCORES), features),
    'RANet image': (lambda: built('mmrev.RegionAttentionHead', channels=6, scope='image', **SCORES), features),
    **{
        name: (lambda name=name: built(f'mmrev.{name}', **THIN), images)
        for name in ('RAResNet', 'SEResNet', 'CBAMResNet')
    },
    **{
        name: (lambda name=name: built(f'mmrev.{name}', widen_factor=0.1), images)
        for name in ('RAMobileNetV2', 'SEMobileNetV2', 'CBAMMobileNetV2')
    },
    'three scales': (lambda: segmentor(scales=(1.0, 0.75, 0.5)), images),
    'scale attention': (
        lambda: segmentor(scales=(1.0, 0.5), fusion=dict(ATTENTION, scale_channels=4, channels=4)),
        images,
    ),
}


def awake(module):
    for parameter in module.parameters():
        if parameter.dim() == 1:
            nn.init.normal_(parameter, 1, 0.2)
    return module.eval()


def flat(output):
    return [output] if isinstance(output, torch.Tensor) else list(output)


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


def half_is_close(name, kind, tolerance):
    make, given = PARTS[name]
    module, inputs = awake(make()), given()
    results = []
    for enabled in (False, True):
        module.zero_grad()
        with torch.autocast('cpu', kind, enabled=enabled):
            found = flat(module(*inputs))
            loss = sum(part.float().square().mean() for part in found)
        loss.backward()
        gradients = torch.cat([part.grad.flatten() for part in module.parameters() if part.grad is not None])
        results.append((torch.cat([part.float().flatten() for part in found]), gradients))
    for single, half in zip(*results, strict=True):
        assert half.isfinite().all()
        assert (single - half).norm() < tolerance * single.norm()


HALF = ['RA', 'RAN simple', 'RAN normalized', 'RANet', 'RAResNet', 'RAMobileNetV2', 'scale attention', 'three scales']


@pytest.mark.parametrize('name', HALF)
def test_bfloat16_is_close_to_float32(name):
    half_is_close(name, torch.bfloat16, 0.1)


@pytest.mark.parametrize('name', HALF)
def test_float16_is_close_to_float32(name):
    half_is_close(name, torch.float16, 0.02)


@pytest.mark.parametrize('name', ['RAN normalized', 'RANet', 'RAResNet', 'hypercolumn', 'scale attention'])
def test_channels_last_is_the_same(name):
    make, given = PARTS[name]
    module, (inputs,) = awake(make()).double(), given()
    parts = [part.double() for part in flat(inputs)]
    last = [part.contiguous(memory_format=torch.channels_last) for part in parts]
    kept = inputs if isinstance(inputs, torch.Tensor) else None
    with torch.no_grad():
        expected = flat(module(parts if kept is None else parts[0]))
        module.to(memory_format=torch.channels_last)
        found = flat(module(last if kept is None else last[0]))
    for pair in zip(found, expected, strict=True):
        torch.testing.assert_close(*pair)
