"""RANet's operators as tables: the same regions and the same context as the operators, in torch and in onnxruntime."""

from importlib.util import find_spec

import numpy as np
import pytest
import region_maps
import torch
from stacks import UPSTREAM
from torch import nn

from mmrev.errors import ConfigError
from mmrev.export import dense_regions
from mmrev.export.dense_lines import line_maxima
from mmrev.export.dense_regions import dense_attention, dense_construction, without_operators
from mmrev.export.formats import run_onnx, write_onnx
from mmrev.models.layers.regions import pairwise_boundary
from mmrev.models.layers.regions.attention import Pairing, set_attention
from mmrev.models.layers.regions.construction import construct
from mmrev.models.layers.regions.options import ConstructionOptions

needs_export = pytest.mark.skipif(UPSTREAM, reason='export needs torch 2.6')
SIZES = [*region_maps.SIZES, (13, 16)]
OPTIONS = [
    ConstructionOptions(num_representatives=3),
    ConstructionOptions(threshold=0.5, temperature=1 / 16),
    ConstructionOptions(threshold=0.9, num_representatives=2, similarity='binary_jsd', end_points=True),
]
PAIRS = [(True, True), (True, False), (False, True), (False, False)]


def values(options: ConstructionOptions) -> tuple:
    return options.threshold, options.num_representatives, options.similarity, options.end_points, options.temperature


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('end_points', [False, True])
@pytest.mark.parametrize('size', SIZES)
def test_lines_are_equal_bit_by_bit(size, end_points, dtype):
    boundary = torch.rand(2, *size, dtype=dtype)
    assert torch.equal(line_maxima(boundary, end_points), pairwise_boundary(boundary, end_points))


@pytest.mark.parametrize('options', OPTIONS)
@pytest.mark.parametrize('kind', region_maps.KINDS)
def test_regions_are_equal(kind, options):
    counts = set()
    for size in SIZES:
        maps = region_maps.make(kind, size)
        expected = construct(*maps, options)
        scores, labels, representatives = dense_construction(*maps, *values(options))
        assert torch.equal(labels, expected.labels) and torch.equal(representatives, expected.representatives)
        torch.testing.assert_close(scores, expected.scores)
        counts.add(len(labels.unique()))
    assert len(counts) > 1 or kind in ('constant', 'certain')


@pytest.mark.parametrize('shared', [True, False])
@pytest.mark.parametrize(('same', 'confined'), PAIRS)
def test_attention_is_equal(same, confined, shared):
    """With large logits too, and with queries that have no key."""
    labels = torch.randint(4, (2, 30))
    queries, keys = torch.rand(2, 30) < 0.5, (torch.rand(2, 30) < 0.5) & (labels != 2)
    features, scores = 9 * torch.randn(2, 3, 30).double(), torch.rand(2, 30).double()
    sources = features if shared else torch.randn(2, 3, 30).double()
    pairing = labels, queries, keys, same, confined
    found, _ = dense_attention(features, None if shared else sources, scores, *pairing)
    torch.testing.assert_close(found, set_attention(features, sources, scores, Pairing(*pairing)))


class Construction(nn.Module):
    def __init__(self, options: ConstructionOptions) -> None:
        super().__init__()
        self.options = options

    def forward(self, maps: torch.Tensor) -> tuple[torch.Tensor, ...]:
        boundary, classes = maps[:, 0].sigmoid(), maps[:, 1:].softmax(1)
        return tuple(construct(boundary, classes, self.options))


def blobs(size: tuple[int, int], batch: int) -> torch.Tensor:
    """Smooth score maps: regions of some pixels each, without ties."""
    coarse = 4 * torch.randn(batch, 4, 4, 5)
    return nn.functional.interpolate(coarse, size, mode='bilinear') - torch.tensor([3.0, 0, 0, 0]).view(-1, 1, 1)


def program_of(options: ConstructionOptions, size: tuple[int, int]) -> torch.export.ExportedProgram:
    free = ({0: torch.export.Dim.DYNAMIC},)
    return torch.export.export(Construction(options), (blobs(size, 2),), dynamic_shapes=free, strict=False)


@needs_export
@pytest.mark.skipif(not all(map(find_spec, ('onnx', 'onnxscript', 'onnxruntime'))), reason='no onnx')
@pytest.mark.parametrize('options', OPTIONS[1:])
def test_onnxruntime_finds_the_same_regions(options):
    torch.manual_seed(0)
    program = without_operators(program_of(options, (12, 15)))
    run = run_onnx(write_onnx(program, {}, ['labels', 'scores', 'representatives']))
    maps = blobs((12, 15), 3)
    expected = Construction(options)(maps)
    assert len(expected[0].unique()) > 5
    for found, own in zip(run(maps), expected, strict=True):
        np.testing.assert_allclose(found, own, atol=1e-5)


@needs_export
def test_larger_maps_and_free_sizes_are_refused(monkeypatch):
    program = program_of(OPTIONS[0], (6, 7))
    monkeypatch.setattr(dense_regions, 'LIMIT', 41)
    with pytest.raises(ConfigError, match=r'has 6 x 7 = 42 pixels .* takes 41 at most: give a smaller --size, or'):
        without_operators(program)
    dim = torch.export.Dim.DYNAMIC
    free = torch.export.export(Construction(OPTIONS[0]), (blobs((6, 7), 2),), dynamic_shapes=({2: dim},), strict=False)
    with pytest.raises(ConfigError, match='images of one size'):
        without_operators(free)
    plain = torch.export.export(nn.ReLU(), (torch.ones(1),), strict=False)
    assert without_operators(plain) is plain
