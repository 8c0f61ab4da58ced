"""Properties of all layers, for maps of any size, precision, memory layout and range of values.

Each result is finite, has the precision of the input, and does not depend on the memory layout. Its gradient is finite.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmrev.models.layers import (
    CBAM,
    HypercolumnConv,
    ModifiedGRN,
    SqueezeExcitation,
    fuse_scales,
    location_attention,
    region_construction,
    region_interaction,
    reverse_attention,
)

CHANNELS = 6
VALUES: dict[str, Callable[[Tensor], Tensor]] = {
    'usual': lambda values: values,
    'large': lambda values: 1e4 * values,
    'tiny': lambda values: 1e-40 * values,  # denormal in single precision
    'zeros': torch.zeros_like,
    'one value': lambda values: torch.full_like(values, 0.3),
}
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    'contiguous': lambda maps: maps.contiguous(),
    'channels last': lambda maps: maps.to(memory_format=torch.channels_last),
    'transposed': lambda maps: maps.transpose(2, 3).contiguous().transpose(2, 3),
    'strided': lambda maps: maps.repeat_interleave(2, dim=3)[..., ::2],
}


class Case(NamedTuple):
    shape: tuple[int, int, int, int]  # B, C, H, W
    precision: torch.dtype
    values: str
    layout: str
    seed: int

    def maps(self, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(self.seed + 1000 * seed)
        values = VALUES[self.values](torch.randn(self.shape, generator=generator))
        return values.to(self.precision)


def cases(*precisions: torch.dtype, smallest_batch: int = 0) -> st.SearchStrategy[Case]:
    side = st.integers(1, 9)
    return st.builds(
        Case,
        st.tuples(st.integers(smallest_batch, 3), st.just(CHANNELS), side, side),
        st.sampled_from(precisions),
        st.sampled_from(sorted(VALUES)),
        st.sampled_from(sorted(LAYOUTS)),
        st.integers(0, 999),
    )


ALL = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
FULL = (torch.float32, torch.float64)
some_examples = settings(max_examples=40, deadline=None, derandomize=True)


def check(case: Case, layer: Callable[[Tensor], Tensor], maps: Tensor, tolerance: float = 1e-5) -> None:
    maps.requires_grad_()
    result = layer(LAYOUTS[case.layout](maps))
    assert result.isfinite().all() and result.dtype == case.precision
    rough = 1e-2 if case.precision in (torch.bfloat16, torch.float16) else tolerance
    torch.testing.assert_close(result, layer(maps), rtol=rough, atol=rough)
    (gradient,) = torch.autograd.grad(result.sum(), maps)
    assert gradient.isfinite().all() and gradient.shape == maps.shape


@pytest.mark.parametrize('mode', ['simple', 'normalized'])
@some_examples
@given(case=cases(*ALL))
def test_reverse_attention(mode, case):
    check(case, lambda scores: reverse_attention(scores, mode), case.maps())


@pytest.mark.parametrize('mode', ['simple', 'normalized'])
def test_reverse_attention_of_infinite_scores(mode):
    scores = torch.tensor([-torch.inf, torch.inf], requires_grad=True)
    attention = reverse_attention(scores, mode)
    assert (attention[0] > 0.9) and (attention[1] < 0.1)
    attention.sum().backward()
    assert scores.grad.isfinite().all()


@some_examples
@given(case=cases(*ALL[:3]))  # torch 2.1 has no softmax in float16 on a CPU
def test_scales(case):
    others = [case.maps(seed) for seed in (1, 2)]
    check(case, lambda maps: fuse_scales([maps, *others], location_attention(maps[:, :3]), maps.sigmoid()), case.maps())


@pytest.mark.parametrize('aggregation', ['l2', 'l1', 'gap', 'gmp'])
@pytest.mark.parametrize('normalization', ['grn', 'none', 'ln'])
@some_examples
@given(case=cases(*FULL))
def test_gates(aggregation, normalization, case):
    gate = ModifiedGRN(CHANNELS, aggregation, normalization).to(case.precision)
    torch.nn.init.constant_(gate.gamma, 0.5)
    # LN divides by a deviation that is rounding noise where all channels are equal
    check(case, gate, case.maps(), tolerance=0.05 if normalization == 'ln' else 1e-5)


@pytest.mark.parametrize('kind', [CBAM, SqueezeExcitation])
@some_examples
@given(case=cases(*FULL))
def test_attention_of_the_baselines(kind, case):
    torch.manual_seed(0)
    check(case, kind(CHANNELS, reduction=2).to(case.precision), case.maps())


@some_examples
@given(case=cases(*FULL), dilation=st.integers(1, 12), factor=st.integers(1, 3))
def test_hypercolumns(case, dilation, factor):
    conv = HypercolumnConv([CHANNELS, CHANNELS], 2, dilation).to(case.precision)
    batch, channels, height, width = case.shape
    if batch == 0:
        return  # torch resizes no empty batch
    large = torch.ones(batch, channels, factor * height, factor * width, dtype=case.precision)
    check(case, lambda maps: conv([large, maps]), case.maps(), tolerance=1e-4)


@pytest.mark.parametrize('similarity', ['jsd', 'binary_jsd'])
@some_examples
@given(case=cases(*FULL, smallest_batch=1))
def test_regions(similarity, case):
    def scores(maps: Tensor) -> Tensor:
        return region_construction(maps[:, 0].sigmoid(), maps.softmax(1), similarity=similarity).scores

    check(case, scores, case.maps(), tolerance=1e-4)


@some_examples
@given(case=cases(*FULL, smallest_batch=1))
def test_region_interaction(case):
    regions = region_construction(case.maps(1)[:, 0].sigmoid(), case.maps(1).softmax(1))

    def context(maps: Tensor) -> Tensor:
        return region_interaction(maps.flatten(2), regions)

    check(case, context, case.maps(), tolerance=1e-4)
