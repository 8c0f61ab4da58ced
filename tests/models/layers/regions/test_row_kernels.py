"""Sums over regions by rows of pairs, and partners within walls, against plain torch."""

from itertools import product

import numpy as np
import pytest
import torch

from mmrev.models.layers.regions import kernels_torch

numba = pytest.importorskip('mmrev.models.layers.regions.kernels_numba')
boxes = pytest.importorskip('mmrev.models.layers.regions.kernels_numba_boxes')
pairs = pytest.importorskip('mmrev.models.layers.regions.kernels_numba_pairs')
rows = pytest.importorskip('mmrev.models.layers.regions.kernels_numba_rows')

RULES = list(product(('jsd', 'binary_jsd'), (False, True)))
SIZES = [(6, 11), (1, 14), (14, 1), (1, 1), (3, 20)]


def shapes(height, width):
    """The root of each pixel's region, for regions of several shapes."""
    y, x = np.mgrid[:height, :width]
    flat = np.arange(height * width).reshape(height, width)
    yield np.zeros_like(flat)
    yield x // 4 * 4
    yield (x + y) % 2
    yield np.where(abs(x - y) < 3, 0, flat)
    yield np.where((x % 5 == 2) & (y > 0), flat, 0)


def maps(kind, height, width, classes=4):
    """Boundary scores and class probabilities: soft ones, and ones with many ties and zeros."""
    boundary = torch.rand(2, height, width, dtype=torch.float64)
    scores = torch.randn(2, classes, height, width, dtype=torch.float64)
    if kind == 'ties':
        return (boundary * 2).round() / 2, (scores * 3).round().softmax(1)
    if kind == 'sharp':
        return boundary * (boundary > 0.8), (scores * 300).softmax(1)
    return boundary, scores.softmax(1)


@pytest.fixture
def by_rows(monkeypatch):
    """Every region goes by rows, whatever its shape."""
    monkeypatch.setattr(boxes, 'SMALLEST', 1)
    monkeypatch.setattr(boxes, 'FILLED', 0)


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('kind', ['soft', 'ties', 'sharp'])
def test_sums_and_gradients_are_those_of_plain_torch(kind, size, by_rows, monkeypatch):
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 3)  # each has a share
    given, compared = maps(kind, *size), 0
    for labels, (similarity, ends) in product(shapes(*size), RULES):
        own = torch.from_numpy(labels.ravel()).expand(2, -1).contiguous()
        grad = torch.randn_like(own, dtype=torch.float64)
        ours, theirs = (kernels.sums_inside(*given, own, similarity, ends) for kernels in (numba, kernels_torch))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)
        ours, theirs = (
            kernels.sums_inside_backward(*given, own, similarity, ends, grad) for kernels in (numba, kernels_torch)
        )
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10)
        compared += 1
    assert compared == 20


def test_rows_and_pairs_share_an_image():
    """A compact region goes by rows, and the pixels around it by pairs."""
    labels = np.arange(26 * 30).reshape(26, 30)
    labels[2:24, 3:25] = labels[2, 3]
    labels[:, 28:] = labels[0, 28]
    parts, others = boxes.split(labels)
    assert [part.label for part in parts] == [labels[2, 3]] and others.sum() == labels.size - 22 * 22
    given, own = maps('soft', 26, 30), torch.from_numpy(labels.ravel()).expand(2, -1).contiguous()
    ours, theirs = (kernels.sums_inside(*given, own, 'jsd', False) for kernels in (numba, kernels_torch))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)


def test_directions_reach_each_pair_once():
    box = rows.Box(np.zeros((5, 7 + rows.LANES)), *[None] * 5)
    found = [
        (times * down, times * right)
        for down, right in boxes.directions(box)
        for times in range(1, rows.times_inside(box.boundary, down, right) + 1)
    ]
    assert len(found) == len(set(found)) == 4 * 13 + 6
    assert set(found) == {(y, x) for y in range(5) for x in range(-6, 7) if (y, x) > (0, 0)}


def test_the_logarithm_is_within_4_units_in_the_last_place():
    random = np.random.default_rng(0)
    spread = np.concatenate(
        [
            random.random(20000),
            1 + random.normal(size=20000) * 10.0 ** random.uniform(-15, -1, 20000),
            2.0 ** random.uniform(-1022, 10, 20000),
            2.0 ** np.arange(-1022, 10),
            np.nextafter(2.0 ** np.arange(-1021, 10), 0),
            np.sqrt(0.5) + np.arange(-50, 50) * 2.0**-53,
            [1, np.nextafter(1, 0), np.nextafter(1, 2), rows.TINY],
        ]
    )
    ours, theirs = np.array([rows.log2(p) for p in spread]), np.log2(spread)
    assert (abs(ours - theirs) <= 4 * np.spacing(abs(theirs))).all()
    assert rows.log2(1.0) == 0
    assert rows.log2(0.0) == rows.log2(5e-324) == rows.log2(rows.TINY) == -1022


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
    for similarity, ends in RULES:
        ours, theirs = (
            kernels.first_partners(boundary, probabilities, threshold, similarity, ends)
            for kernels in (numba, kernels_torch)
        )
        assert torch.equal(ours, theirs)


def test_pixels_within_walls_have_partners_beside_them_alone():
    boundary = torch.full((1, 6, 6), 0.5, dtype=torch.float64)
    probabilities = torch.full((1, 2, 6, 6), 0.5, dtype=torch.float64)
    assert (pairs.walls(boundary.flatten().numpy(), 6) == 0.5).all()
    partners = numba.first_partners(boundary, probabilities, 0.8, 'jsd', False)[0].view(6, 6)
    assert partners[0].tolist() == [0, 0, 1, 2, 3, 4]
    assert partners[2].tolist() == [6, 6, 7, 8, 9, 10]
