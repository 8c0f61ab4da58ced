import numpy as np
import pytest
import region_maps
import torch
from reference import ranet

from mmrev.models.layers import pairwise_boundary, pairwise_similarity, region_construction
from mmrev.models.layers.regions import construction, equations, kernels_torch
from mmrev.models.layers.regions.construction import best_of_each
from mmrev.models.layers.regions.similarity import binary_jsd

BACKENDS = {'compiled': construction.compiled, 'tiles': lambda *_: None}
both_lines = pytest.mark.parametrize('ends', [False, True], ids=['between', 'end points'])
every_map = pytest.mark.parametrize(
    ('kind', 'size'), [(kind, size) for kind in region_maps.KINDS for size in region_maps.SIZES]
)


@pytest.fixture(params=BACKENDS)
def backend(request, monkeypatch):
    if request.param == 'compiled':
        pytest.importorskip('numba')
    monkeypatch.setattr(construction, 'compiled', BACKENDS[request.param])
    monkeypatch.setattr(kernels_torch, 'TILE_BUDGET', 500)  # several tiles
    return request.param


@every_map
@pytest.mark.parametrize(
    ('similarity', 'divergence'), [('jsd', ranet.pairwise_similarity), ('binary_jsd', ranet.binary_divergence)]
)
@both_lines
def test_equations_1_to_5(kind, size, similarity, divergence, ends, backend):
    boundary, probabilities = region_maps.make(kind, size)
    regions = region_construction(
        boundary, probabilities, num_representatives=3, similarity=similarity, end_points=ends
    )
    for index in range(2):
        labels, scores, representatives = ranet.construct(
            boundary[index].numpy(), probabilities[index].numpy(), k=3, divergence=divergence, end_points=ends
        )
        np.testing.assert_array_equal(regions.labels[index], labels)
        np.testing.assert_allclose(regions.scores[index], scores, atol=1e-12)
        np.testing.assert_array_equal(regions.representatives[index], representatives)


@every_map
@pytest.mark.parametrize('temperature', [0.1, 3])
def test_the_temperature_decides_who_belongs_together_alone(kind, size, temperature):
    boundary, probabilities = region_maps.make(kind, size)
    regions = region_construction(boundary, probabilities, num_representatives=3, temperature=temperature)
    for index in range(2):
        labels, scores, representatives = ranet.construct(
            boundary[index].numpy(), probabilities[index].numpy(), k=3, temperature=temperature
        )
        np.testing.assert_array_equal(regions.labels[index], labels)
        np.testing.assert_allclose(regions.scores[index], scores, atol=1e-12)
        np.testing.assert_array_equal(regions.representatives[index], representatives)


def test_a_low_temperature_keeps_a_soft_transition_apart():
    share = torch.linspace(0.02, 0.98, 12)
    row = torch.stack([share, 1 - share]).view(1, 2, 1, 12)
    found = [region_construction(torch.zeros(1, 1, 12), row, temperature=t).labels.unique().tolist() for t in (1, 0.02)]
    assert found == [[0], [0, 6]]


def densely(boundary, probabilities, labels, similarity='jsd', ends=False):
    pixels = probabilities.flatten(2)
    apart = pairwise_similarity(probabilities) if similarity == 'jsd' else binary_jsd(pixels, pixels)
    f = (1 - pairwise_boundary(boundary, ends)) * (1 - apart)
    f = torch.where(torch.eye(f.shape[1], dtype=torch.bool), 1.0, f)
    inside = labels[:, :, None] == labels[:, None]
    return (f * inside).sum(2) / inside.sum(2)


@every_map
@pytest.mark.parametrize('similarity', ['jsd', 'binary_jsd'])
@both_lines
def test_gradients_are_those_of_the_dense_tables(kind, size, similarity, ends, backend):
    inputs = [part.requires_grad_() for part in region_maps.make(kind, size)]
    regions = region_construction(*inputs, similarity=similarity, end_points=ends)
    up = torch.randn_like(regions.scores)
    ours = torch.autograd.grad(regions.scores, inputs, up)
    theirs = torch.autograd.grad(densely(*inputs, regions.labels, similarity, ends), inputs, up)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


def trained_like(size):
    """Blobs of classes, with boundaries between them."""
    scores = torch.randn(1, 4, 5, 5, dtype=torch.float64) * 10
    probabilities = torch.nn.functional.interpolate(scores, (size, size), mode='bilinear').softmax(1)
    classes = probabilities.argmax(1)
    boundary = torch.rand(1, size, size, dtype=torch.float64) * 0.05
    boundary[:, 1:] += 0.9 * (classes[:, 1:] != classes[:, :-1])
    return boundary.requires_grad_(), probabilities.requires_grad_()


@pytest.mark.parametrize('threshold', [0.6, 0.8, 0.93])
@both_lines
def test_a_map_of_33_x_33(threshold, ends, backend, monkeypatch):
    monkeypatch.setattr(kernels_torch, 'TILE_BUDGET', 2**20)
    boundary, probabilities = inputs = trained_like(33)
    regions = region_construction(*inputs, threshold=threshold, end_points=ends)
    f = ((1 - pairwise_boundary(boundary, ends)) * (1 - pairwise_similarity(probabilities))).detach()[0]
    together = (f > threshold) | torch.eye(len(f), dtype=torch.bool)
    partners = together.int().argmax(1)
    for _ in range(33 * 33):
        partners = partners[partners]
    assert torch.equal(regions.labels[0], partners) and len(partners.unique()) > 1
    dense = densely(*inputs, regions.labels, ends=ends)
    torch.testing.assert_close(regions.scores, dense, rtol=0, atol=1e-9)
    up = torch.randn_like(dense)
    for a, b in zip(
        torch.autograd.grad(regions.scores, inputs, up), torch.autograd.grad(dense, inputs, up), strict=True
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-9)


@every_map
def test_invariants(kind, size, backend):
    labels, scores, representatives = region_construction(*region_maps.make(kind, size), num_representatives=2)
    assert torch.equal(labels.gather(1, labels), labels) and (labels <= torch.arange(labels.shape[1])).all()
    assert 0 < scores.min() <= scores.max() <= 1 + 1e-12
    for own, chosen in zip(labels, representatives, strict=True):
        for root in own.unique():
            assert chosen[own == root].sum() == min(2, (own == root).sum())


def test_a_constant_map_is_one_region_and_a_checkerboard_one_for_each_pixel(backend):
    labels = region_construction(*region_maps.make('constant', (5, 7))).labels
    assert (labels == 0).all()
    labels = region_construction(*region_maps.make('checkerboard', (1, 9))).labels
    assert torch.equal(labels[0], torch.arange(9))


def test_single_precision(backend):
    boundary, probabilities = region_maps.make('random', (7, 9))
    exact, ours = (
        region_construction(boundary.to(kind), probabilities.to(kind)) for kind in (torch.float64, torch.float32)
    )
    assert ours.scores.dtype == torch.float32 and torch.equal(ours.labels, exact.labels)
    torch.testing.assert_close(ours.scores.double(), exact.scores, rtol=0, atol=1e-5)


def test_tiles_make_no_table_of_all_pairs(monkeypatch):
    tables = []

    def seen(*args):
        parts = equations.region_attention(*args)
        tables.extend(part.numel() for part in parts)
        return parts

    monkeypatch.setattr(kernels_torch, 'region_attention', seen)
    monkeypatch.setattr(kernels_torch, 'TILE_BUDGET', 500)
    monkeypatch.setattr(construction, 'compiled', BACKENDS['tiles'])
    inputs = [part.requires_grad_() for part in region_maps.make('random', (10, 15))]
    scores = region_construction(*inputs).scores
    forward = len(tables)
    scores.sum().backward()
    assert 0 < forward < len(tables)
    assert max(tables) <= 500


def test_best_of_each_region():
    labels = torch.tensor([[0, 1, 0, 0, 1, 5]]).clamp(max=5)
    scores = torch.tensor([[0.2, 0.9, 0.5, 0.5 + 1e-8, 0.1, 0.3]])
    assert best_of_each(scores, labels, 1).int().tolist() == [[0, 1, 1, 0, 0, 1]]  # a tie up to rounding
    assert best_of_each(scores, labels, 2).int().tolist() == [[0, 1, 1, 1, 1, 1]]


@pytest.mark.parametrize(('kind', 'noise', 'difference'), [(torch.float32, 1e-7, 1e-4), (torch.float64, 1e-13, 1e-7)])
def test_scores_tie_up_to_rounding(kind, noise, difference):
    labels = torch.zeros(1, 2, dtype=torch.long)
    for more, best in ((noise, 0), (difference, 1)):
        assert best_of_each(torch.tensor([[0.4, 0.4 + more]], dtype=kind), labels, 1)[0].tolist() == [
            best == 0,
            best == 1,
        ]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(similarity='cosine'), "unknown similarity 'cosine': use one of 'jsd', 'binary_jsd'"),
        (dict(threshold=1.5), r'threshold=1.5\): expected a number of at least 0 and at most 1'),
        (dict(temperature=0), r'temperature=0\): expected a number above 0'),
        (dict(temperature='cold'), r"temperature='cold'\): expected a number above 0"),
        (dict(num_representatives=0), r'num_representatives=0\): expected an integer of at least 1'),
        (dict(boundary=torch.rand(2, 4, 4)), 'differ in batch or size'),
    ],
)
def test_wrong_arguments(change, message):
    boundary, probabilities = region_maps.make('random', (4, 5))
    with pytest.raises(ValueError, match=message):
        region_construction(**{**dict(boundary=boundary, probabilities=probabilities), **change})


def test_threads_of_torch_are_left_alone():
    """Numba's parallel loops would set the number of OpenMP threads, which torch uses too."""
    numba = pytest.importorskip('numba')
    region_construction(*(part.requires_grad_() for part in region_maps.make('random', (4, 5)))).scores.sum().backward()
    with pytest.raises(ValueError, match='not initialized'):
        numba.threading_layer()


def test_without_kernels_for_a_device():
    with pytest.warns(UserWarning, match='without compiled kernels.*none for mps'):
        assert construction.compiled.__wrapped__(torch.device('mps')) is None


def test_as_many_threads_as_torch_has(monkeypatch):
    numba = pytest.importorskip('mmrev.models.layers.regions.kernels_numba')
    boundary, probabilities = region_maps.make('random', (7, 9))
    counts = []
    for threads in (1, 3):
        monkeypatch.setattr(torch, 'get_num_threads', lambda threads=threads: threads)
        counts.append(numba.sums_inside(boundary, probabilities, torch.zeros(2, 63, dtype=torch.long), 'jsd', False))
        shares = numba.in_threads(lambda thread, threads: (thread, threads))
        assert shares == [(thread, threads) for thread in range(threads)]
    torch.testing.assert_close(*counts)


@pytest.mark.parametrize('kind', [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(kind, backend):
    given = [part.to(kind) for part in region_maps.make('random', (5, 7))]
    ours, single = (region_construction(*(part.to(to) for part in given)) for to in (kind, torch.float32))
    assert torch.equal(ours.labels, single.labels) and torch.equal(ours.scores, single.scores)


def test_kernels_where_nothing_can_be_kept(monkeypatch):
    """The folders of the package and the user are read-only. Each process compiles the kernels anew."""
    numba = pytest.importorskip('mmrev.models.layers.regions.kernels_numba_math')
    compile_it, kept = numba.njit, []

    def njit(function, cache=False, **options):
        kept.append(cache)
        if cache:
            raise RuntimeError('cannot cache function: no locator available')
        return compile_it(function, **options)

    monkeypatch.setattr(numba, 'njit', njit)
    assert numba.kernel(lambda x: x + 1)(2) == 3 and kept == [True, False]
