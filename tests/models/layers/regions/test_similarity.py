"""Every entry of ``SIMILARITIES``, and an entry that the compiled kernels do not know."""

import numpy as np
import pytest
import region_maps
import torch
from reference import ranet

from mmrev.errors import ConfigError
from mmrev.models.layers import region_construction
from mmrev.models.layers.regions import construction
from mmrev.models.layers.regions.equations import region_attention
from mmrev.models.layers.regions.similarity import SIMILARITIES, Similarity

RESTATED = {'jsd': ranet.pairwise_similarity, 'binary_jsd': ranet.binary_divergence}


def total_variation(rows, columns):
    return (rows[..., :, None] - columns[..., None, :]).abs().sum(1) / 2


def restated_total_variation(probabilities):
    c = probabilities.reshape(len(probabilities), -1).T
    return np.abs(c[:, None] - c[None]).sum(2) / 2


@pytest.mark.parametrize('name', SIMILARITIES)
def test_the_entries(name):
    """Restated, in [0, 1], and symmetric where the table says so."""
    _, probabilities = region_maps.make('random', (4, 5))
    pixels, entry = probabilities.flatten(2), SIMILARITIES[name]
    table = entry.divergence(pixels, pixels)
    for index in range(2):
        np.testing.assert_allclose(table[index], RESTATED[name](probabilities[index].numpy()), atol=1e-12)
    assert 0 <= table.min() <= table.max() <= 1
    assert torch.allclose(table, table.transpose(1, 2)) == entry.symmetric


def test_codes_differ():
    codes = [entry.code for entry in SIMILARITIES.values() if entry.code is not None]
    assert len(set(codes)) == len(codes)


@pytest.fixture(params=[None, 99], ids=['no code', 'a code that no kernel knows'])
def third(request, monkeypatch):
    monkeypatch.setitem(
        SIMILARITIES, 'total_variation', Similarity(total_variation, symmetric=True, code=request.param)
    )
    return 'total_variation'


def test_a_third_similarity_runs_in_tiles(third):
    pytest.importorskip('numba')
    boundary, probabilities = inputs = [part.requires_grad_() for part in region_maps.make('random', (5, 7))]
    with pytest.warns(UserWarning, match="similarity 'total_variation' has no compiled kernel for cpu"):
        regions = region_construction(*inputs, threshold=0.6, similarity=third)
    for index in range(2):
        maps = (part[index].detach().numpy() for part in inputs)
        labels, scores, _ = ranet.construct(*maps, 0.6, divergence=restated_total_variation)
        np.testing.assert_array_equal(regions.labels[index], labels)
        np.testing.assert_allclose(regions.scores[index].detach(), scores, atol=1e-12)
    assert len(regions.labels.unique()) > 2
    rows, columns = region_attention(boundary, probabilities, slice(None), third)
    assert rows is columns
    inside = regions.labels[:, :, None] == regions.labels[:, None]
    dense = (torch.where(torch.eye(35, dtype=torch.bool), 1, rows) * inside).sum(2) / inside.sum(2)
    ours, theirs = (torch.autograd.grad(scores.square().sum(), inputs) for scores in (regions.scores, dense))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize('compiler', ['numba', 'triton'])
def test_compiled_kernels_refuse_a_third_similarity(compiler, third):
    pytest.importorskip(compiler)
    kernels = pytest.importorskip(f'mmrev.models.layers.regions.kernels_{compiler}', exc_type=ImportError)
    boundary, probabilities = region_maps.make('random', (3, 4))
    labels = torch.zeros(2, 12, dtype=torch.long)
    for run, arguments in (
        (kernels.first_partners, (0.8, third, False)),
        (kernels.sums_inside, (labels, third, False)),
        (kernels.sums_inside_backward, (labels, third, False, torch.ones(2, 12))),
    ):
        with pytest.raises(ConfigError, match=f"'total_variation' has no {compiler.title()} kernel"):
            run(boundary, probabilities, *arguments)


def test_a_known_similarity_does_not_warn(recwarn):
    pytest.importorskip('numba')
    region_construction(*region_maps.make('random', (3, 4)), similarity='binary_jsd')
    assert construction.kernels_for(torch.device('cpu'), 'binary_jsd') is construction.compiled(torch.device('cpu'))
    assert not [warning for warning in recwarn if 'no compiled kernel' in str(warning.message)]
