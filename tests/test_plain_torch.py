"""Tests of the parts that work with torch and NumPy alone, and of the messages of the rest."""

import pkgutil
from importlib import metadata

import pytest
from fresh_process import run_fresh
from packaging.requirements import Requirement

from mmrev.models import layers

# kernels for a CPU and a GPU: they need their compilers, and plain torch stands in for both
NUMBA = ('kernels_numba', *(f'kernels_numba_{part}' for part in ('boxes', 'math', 'partners', 'rows', 'runs')))
COMPILED = (*NUMBA, 'kernels_triton', 'kernels_triton_pairs')
USE = """
import torch
from torch import nn
from mmrev.models import add_reverse_attention
from mmrev.models.layers import *

def learns(module, output):
    output.square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters()), module

x, labels = torch.randn(2, 8, 6, 8), torch.randint(3, (2, 12, 16))
head = ReverseAttention(8, 3)
sum(reverse_attention_losses(head.branches(x), labels).values()).backward()
regions = RegionAttention(8, 3, channels=4, norm=nn.BatchNorm2d)
sum(region_attention_losses(regions.branches(x), labels, boundary_labels(labels)).values()).backward()
scales = ScaleAttention(8, 3, dilations=(2, 1), channels=4, scale_channels=4)
learns(scales, scales([[x], [x[..., ::2, ::2]]], [head(x).detach(), head(x[..., ::2, ::2]).detach()]))
for module in (SqueezeExcitation(8), CBAM(8), ModifiedGRN(8)):
    learns(module, module(x))
for module in (SEAddition(8), CBAMAddition(8), ReverseAttentionAddition(8)):
    learns(module, module(x, x))
conv = HypercolumnConv([8, 8], 3)
learns(conv, conv([x, x[..., ::2, ::2]]))

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.mlp = nn.LayerNorm(6), nn.Linear(6, 6)

    def forward(self, x):
        return x + self.mlp(self.norm(x))

network = add_reverse_attention(nn.Sequential(Block()), branches={'Block': [('norm', 'mlp')]})
learns(network, network(torch.randn(2, 7, 6)))
print('all of it learns')
"""
REFUSED = """
from mmrev.errors import HostError
import mmrev.models
for use in (lambda: mmrev.models.RAResNet, lambda: mmrev.models.ReverseAttentionHead,
            lambda: mmrev.models.add_reverse_attention(dict(type='ResNet', depth=18))):
    try:
        use()
    except HostError as error:
        print(error)
"""


def needed_by(*names: str) -> set[str]:
    """The import names of these distributions and of all that they require."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace('_', '-')
        if name in found:
            continue
        found.add(name)
        try:
            texts = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        wanted = [Requirement(text) for text in texts]
        waiting += [each.name for each in wanted if not each.marker or each.marker.evaluate({'extra': ''})]
    owners = metadata.packages_distributions()
    return {name for name, made_by in owners.items() if {each.lower().replace('_', '-') for each in made_by} & found}


def with_torch_alone(code: str) -> str:
    # Python itself starts a hack of setuptools, and torch 2.1 imports more of it, with packaging
    allowed = {'mmrev', *needed_by('torch', 'numpy', 'setuptools', 'packaging')}
    blocked = {name for name in metadata.packages_distributions() if name.isidentifier()} - allowed
    assert {'torch', 'numpy'} <= allowed and not {'mmengine', 'scipy', 'torchvision'} & allowed
    return run_fresh(code, absent=sorted(blocked | {'mmengine', 'mmcv', 'mmseg', 'mmpretrain', 'mmdet'}))


def test_mmrev_and_every_layer_are_imported():
    names = [
        module.name
        for module in pkgutil.walk_packages(layers.__path__, 'mmrev.models.layers.')
        if not module.name.endswith(COMPILED)
    ]
    assert len(names) > 20
    code = 'import mmrev, mmrev.models, mmrev.catalog, mmrev.hosts\n' + ''.join(f'import {name}\n' for name in names)
    assert with_torch_alone(code + "print('imported')") == 'imported\n'


def test_every_module_learns():
    assert with_torch_alone(USE) == 'all of it learns\n'


def test_what_needs_openmmlab_says_so():
    lines = with_torch_alone(REFUSED).splitlines()
    assert len(lines) == 3
    assert all('cannot be built: ' in line and ' is not installed: pip install ' in line for line in lines)


@pytest.mark.parametrize('name', ['ReverseAttention', 'ScaleAttention', 'RegionAttention', 'boundary_labels'])
def test_the_modules_are_public(name):
    assert name in layers.__all__ and getattr(layers, name).__doc__
