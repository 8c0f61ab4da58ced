"""Sums by rows of pairs, and partners within walls, equal those of all pairs in plain torch."""

from itertools import product

import numpy as np
import pytest
import region_maps
import torch

from mmrev.models.layers.regions import kernels_torch

numba = pytest.importorskip('mmrev.models.layers.regions.kernels_numba')
from mmrev.models.layers.regions import kernels_numba_boxes as boxes  # noqa: E402
from mmrev.models.layers.regions import kernels_numba_partners as partners  # noqa: E402
from mmrev.models.layers.regions import kernels_numba_rows as rows  # noqa: E402

SIZES = [(1, 1), (1, 17), (19, 1), (2, 9), (9, 2), (11, 13), (13, 8)]
REGIONS = {
    'one': lambda size: torch.zeros(2, size, dtype=torch.long),
    'halves': lambda size: (torch.arange(size) * 2 // size).expand(2, -1),
    'scattered': lambda size: torch.randint(3, (2, size)),
    'singles': lambda size: torch.arange(size).expand(2, -1),
}


@pytest.fixture
def by_rows(monkeypatch):
    """Every region goes by rows, also small and scattered ones."""
    monkeypatch.setattr(boxes, 'FILLED', 0)
    monkeypatch.setattr(boxes, 'SMALLEST', 1)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('kind', region_maps.KINDS)
def test_rows_of_pairs_equal_tiles_of_all_pairs(kind, size, by_rows):
    torch.manual_seed(0)
    maps = region_maps.make(kind, size)
    compared = 0
    for (name, make), similarity, ends in product(REGIONS.items(), ('jsd', 'binary_jsd'), (False, True)):
        labels = make(size[0] * size[1])
        parts = [boxes.split(own.view(size).numpy()) for own in labels]
        assert all(regions and not others.any() for regions, others in parts), name
        sums, expected = (part.sums_inside(*maps, labels, similarity, ends) for part in (numba, kernels_torch))
        torch.testing.assert_close(sums, expected, rtol=0, atol=1e-10)
        grad = torch.randn_like(sums)
        for ours, theirs in zip(
            *(part.sums_inside_backward(*maps, labels, similarity, ends, grad) for part in (numba, kernels_torch)),
            strict=True,
        ):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
        compared += 1
    assert compared == 16


def test_each_pair_counts_once(by_rows):
    """Without boundaries and with equal classes, F is 1 for each pair: the sum of a pixel is the size of its region."""
    for height, width in SIZES:
        boundary, probabilities = torch.zeros(1, height, width), torch.full((1, 4, height, width), 0.25)
        labels = torch.randint(2, (1, height * width))
        sums = numba.sums_inside(boundary.double(), probabilities.double(), labels, 'jsd', False)
        torch.testing.assert_close(sums, torch.bincount(labels[0])[labels].double())


def test_mixed_regions_go_both_ways(monkeypatch):
    """A compact region goes by rows, and scattered pixels go by runs, in one image."""
    monkeypatch.setattr(boxes, 'SMALLEST', 400)
    torch.manual_seed(0)
    maps = region_maps.make('random', (24, 24))
    labels = torch.zeros(2, 24, 24, dtype=torch.long)
    labels[:, 18:] = torch.randint(1, 4, (2, 6, 24))
    parts, others = boxes.split(labels[0].numpy())
    assert [part.label for part in parts] == [0] and others.sum() == 6 * 24
    labels, grad = labels.flatten(1), torch.randn(2, 576).double()
    for similarity in ('jsd', 'binary_jsd'):
        sums, expected = (part.sums_inside(*maps, labels, similarity, True) for part in (numba, kernels_torch))
        torch.testing.assert_close(sums, expected, rtol=1e-12, atol=1e-10)
        both = (part.sums_inside_backward(*maps, labels, similarity, True, grad) for part in (numba, kernels_torch))
        for ours, theirs in zip(*both, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_the_logarithm_is_exact_to_four_units_in_the_last_place():
    rng = np.random.default_rng(0)
    numbers = np.concatenate(
        [
            rng.random(20000),
            1 + rng.uniform(-1e-3, 1e-3, 20000),
            np.exp2(rng.uniform(-1022, 1, 20000)),
            np.exp2(np.arange(-1022.0, 2)),
            np.sqrt(2) * np.exp2(np.arange(-1021.0, 2)),
            [1 - 2**-53, 1 + 2**-52, rows.TINY],
        ]
    )
    ours, expected = np.array([rows.log2(number) for number in numbers]), np.log2(numbers)
    assert (np.abs(ours - expected) <= 4 * np.spacing(np.abs(expected))).all()
    assert [rows.log2(number) for number in (0.0, 5e-324, -1.0)] == [-1022.0] * 3


def test_directions_reach_each_pair_once():
    box = rows.Box(np.zeros((5, 7 + rows.LANES)), *[None] * 6)
    found = [
        (times * down, times * right)
        for down, right in boxes.directions(box)
        for times in range(1, rows.times_inside(box.boundary, down, right) + 1)
    ]
    assert len(found) == len(set(found)) == 4 * 13 + 6
    assert set(found) == {(y, x) for y in range(5) for x in range(-6, 7) if (y, x) > (0, 0)}


def adversarial(seed):
    """Boundaries of one pixel, checkerboards, constant maps, and scores just at the threshold."""
    random = np.random.default_rng(seed)
    height, width, classes = random.integers(1, 14), random.integers(1, 14), random.integers(2, 5)
    threshold = float(random.choice([0.25, 0.5, 0.75]))
    boundary = random.random((1, height, width))
    probabilities = random.random((1, classes, height, width)) ** random.choice([1, 20])
    kind = seed % 5
    if kind == 0:
        boundary = 1.0 * (boundary < 0.3)
    elif kind == 1:
        boundary[:] = 1 - threshold
    elif kind == 2:
        boundary[:] = np.add.outer(np.arange(height), np.arange(width)) % 2 * random.choice([1 - threshold, 1])
    elif kind == 3:
        boundary, probabilities = np.where(boundary < 0.5, 1 - threshold, 0.0), np.ones_like(probabilities)
    probabilities = (probabilities + 1e-9) / (probabilities + 1e-9).sum(1, keepdims=True)
    return torch.from_numpy(boundary), torch.from_numpy(probabilities), threshold


@pytest.mark.parametrize('seed', range(60))
def test_partners_are_those_of_plain_torch_to_the_last_pixel(seed):
    boundary, probabilities, threshold = adversarial(seed)
    for similarity, ends in product(('jsd', 'binary_jsd'), (False, True)):
        ours, theirs = (
            kernels.first_partners(boundary, probabilities, threshold, similarity, ends)
            for kernels in (numba, kernels_torch)
        )
        assert torch.equal(ours, theirs)


def test_pixels_within_walls_have_partners_beside_them_alone():
    boundary = torch.full((1, 6, 6), 0.5, dtype=torch.float64)
    probabilities = torch.full((1, 2, 6, 6), 0.5, dtype=torch.float64)
    assert (partners.areas(boundary.flatten().numpy(), 6, 0.2) == partners.NONE).all()
    found = numba.first_partners(boundary, probabilities, 0.8, 'jsd', False)[0].view(6, 6)
    assert found[0].tolist() == [0, 0, 1, 2, 3, 4]
    assert found[2].tolist() == [6, 6, 7, 8, 9, 10]
