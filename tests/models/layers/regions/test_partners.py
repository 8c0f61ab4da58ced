"""Partners from lists by class and by area are those of all pairs in plain torch, to the last pixel."""

from itertools import product

import numpy as np
import pytest
import torch
from reference import ranet

from mmrev.models.layers.regions import kernels_torch
from mmrev.models.layers.regions.construction import sharpened
from mmrev.models.layers.regions.similarity import BINARY_BOUNDS, BINARY_JSD, JSD

numba = pytest.importorskip('mmrev.models.layers.regions.kernels_numba')
from mmrev.models.layers.regions import kernels_numba_partners as partners  # noqa: E402

SIZES = [(1, 40), (40, 1), (2, 23), (17, 19), (9, 31), (3, 3)]
RULES = list(product(('jsd', 'binary_jsd'), (False, True)))
DIVERGENCES = {JSD: ranet.pairwise_similarity, BINARY_JSD: ranet.binary_divergence}


def walls(shape, random):
    """Walls of one pixel, straight and diagonal, some with a gap."""
    y, x = np.indices(shape)
    wall = (x % 7 == 3) | (y % 6 == 4) | ((x + y) % 11 == 5) | ((x - y) % 13 == 2)
    return np.where(wall & (random.random(shape) < 0.9), random.choice([0.21, 0.5, 1.0]), 0.1 * random.random(shape))


def staircase(shape, random):
    """Diagonals alone. A line can pass between two of their pixels."""
    y, x = np.indices(shape)
    return np.where((x + 2 * y) % 9 < random.integers(1, 4), random.choice([0.2, 0.3, 0.5]), 0.0)


def steps(shape, random):
    """Scores just at the threshold, and the numbers beside it."""
    at = 1 - 0.75
    return random.choice([0.0, np.nextafter(at, 0), at, np.nextafter(at, 1), at + 1e-7, 0.6], shape)


def constant(shape, random):
    return np.full(shape, random.choice([0.0, 0.25, 0.2]))


def noise(shape, random):
    return random.random(shape) ** 4


def certain(shape, random):
    """Probabilities of 0 and 1, in patches."""
    patches = np.add.outer(np.arange(shape[0]) // 4, np.arange(shape[1]) // 5) % 4
    return np.eye(4)[np.where(random.random(shape) < 0.1, random.integers(4, size=shape), patches)].transpose(2, 0, 1)


def soft(shape, random):
    return random.dirichlet(np.ones(4), shape).transpose(2, 0, 1)


def equal(shape, random):
    return np.full((4, *shape), 0.25)


def at_the_threshold(shape, random):
    """Divergences just below and above what thresholds of 0.75 and 0.8 allow, from a pixel that is sure."""

    def apart(p):
        return ranet.entropy([(1 + p) / 2, (1 - p) / 2]) - ranet.entropy([p, 1 - p]) / 2

    shares = [1.0]
    for room in (0.2, 0.25):
        low, high = 0.0, 1.0
        while high - low > 1e-12:
            middle = (low + high) / 2
            low, high = (middle, high) if apart(middle) > room else (low, middle)
        shares += [low - 1e-9, high + 1e-9]
    first = random.choice(shares, shape)
    return np.stack([first, 1 - first, 0 * first, 0 * first])


BOUNDARIES = {function.__name__: function for function in (walls, staircase, steps, constant, noise)}
CLASSES = {function.__name__: function for function in (certain, soft, equal, at_the_threshold)}


@pytest.mark.parametrize('classes', CLASSES)
@pytest.mark.parametrize('boundary', BOUNDARIES)
def test_partners_on_adversarial_maps(boundary, classes):
    compared = joined = 0
    for seed, shape in enumerate(SIZES):
        random = np.random.default_rng(seed)
        scores = torch.from_numpy(BOUNDARIES[boundary](shape, random))[None]
        probabilities = torch.from_numpy(CLASSES[classes](shape, random).copy())[None]
        for (similarity, ends), threshold, temperature in product(RULES, (0.75, 0.8), (1, 1 / 16)):
            given = scores, sharpened(probabilities, temperature), threshold, similarity, ends
            ours, theirs = (kernels.first_partners(*given) for kernels in (numba, kernels_torch))
            assert torch.equal(ours, theirs), (shape, *given[2:], temperature)
            compared += 1
            joined += (theirs < torch.arange(theirs.numel())).any().item()
    assert compared == len(SIZES) * 16 and joined > 0


@pytest.mark.parametrize('threshold', [0.0, 1.0])
def test_partners_at_the_ends_of_the_threshold(threshold):
    random = np.random.default_rng(0)
    scores, probabilities = (torch.from_numpy(part)[None] for part in (walls((9, 8), random), soft((9, 8), random)))
    for similarity, ends in RULES:
        given = scores, probabilities.contiguous(), threshold, similarity, ends
        assert torch.equal(*(kernels.first_partners(*given) for kernels in (numba, kernels_torch)))


def test_a_line_of_low_samples_has_one_area_at_both_ends():
    low = separate = 0
    for seed, (name, make) in product(range(4), BOUNDARIES.items()):
        shape = (7, 9)
        scores = make(shape, np.random.default_rng(seed))
        highest = 0.25
        found = partners.areas(scores.ravel(), shape[1], highest)
        beside = [set(row.tolist()) - {partners.NONE} for row in partners.areas_beside(found, shape[1])]
        together = ranet.pairwise_boundary(scores) <= highest
        for i, j in product(range(63), repeat=2):
            if max(abs(i // 9 - j // 9), abs(i % 9 - j % 9)) > 1:
                assert not together[i, j] or beside[i] & beside[j], (name, i, j)
                low += together[i, j]
                separate += not beside[i] & beside[j]
    assert low > 1000 and separate > 1000


def test_areas_are_the_connected_parts():
    steps = [(a, b) for a, b in product(range(-2, 3), repeat=2) if max(abs(a), abs(b)) == 1 or abs(a) + abs(b) == 3]
    assert len(steps) == 16
    for seed in range(20):
        random = np.random.default_rng(seed)
        height, width = random.integers(1, 13, 2)
        scores = random.random((height, width))
        found = partners.areas(scores.ravel(), width, 0.3).reshape(height, width)
        assert ((found == partners.NONE) == (scores > 0.3)).all()
        left = {(int(y), int(x)) for y, x in np.argwhere(scores <= 0.3)}
        parts = 0
        while left:
            part, edge = set(), [min(left)]
            while edge:
                y, x = edge.pop()
                if (y, x) in left:
                    left.remove((y, x))
                    part.add((y, x))
                    edge += [(y + a, x + b) for a, b in steps]
            assert {found[place] for place in part} == {min(y * width + x for y, x in part)}
            parts += 1
        assert parts == len(set(found.ravel().tolist()) - {partners.NONE})


def test_four_areas_beside_a_pixel():
    scores = np.ones((7, 7))
    scores[2:5:2, 2:5:2] = 0
    found = partners.areas(scores.ravel(), 7, 0.5)
    assert sorted(partners.areas_beside(found, 7)[24]) == [16, 18, 30, 32]
    assert set(partners.areas_beside(found, 7)[0]) == {partners.NONE}


@pytest.mark.parametrize('code', DIVERGENCES)
def test_pixels_that_belong_together_are_within_reach(code):
    random = np.random.default_rng(0)
    near = 0
    for sharp, size in product((0.05, 0.3, 1, 5), range(2, 5)):
        maps = random.dirichlet(np.full(size, sharp), (6, 10)).transpose(2, 0, 1)
        apart = DIVERGENCES[code](maps)
        apart = (apart + apart.T) / 2
        flat = maps.reshape(size, -1)
        own = flat.argmax(0)
        bounded = flat.clip(*BINARY_BOUNDS) if code == BINARY_JSD else flat
        gap = abs(bounded[own] - bounded[own, np.arange(60)][:, None])
        for threshold in (0.5, 0.8, 0.95):
            close = apart < 1 - threshold
            assert (gap[close] <= partners.farthest(code, threshold)).all()
            near += (close & (gap > 0.8 * partners.farthest(code, threshold))).sum()
    assert near > 0  # the bound is not far away


def test_single_samples_are_those_of_the_line():
    random = np.random.default_rng(0)
    height, width = 7, 9
    scores = random.random((height, width))
    longer = np.append(scores, np.zeros(width))
    compared = 0
    for i, j in product(range(63), repeat=2):
        if i < j:
            line = partners.line_between(width, i, j)
            ours = [partners.sample(longer, i, line, step) for step in range(1, line[0])]
            points = ranet.line(divmod(i, width), divmod(j, width))
            np.testing.assert_allclose(ours, [ranet.interpolated(scores, point) for point in points], atol=1e-15)
            highest, step = partners.line_maximum(longer, False, i, j, line, 2.0)
            assert highest == max(ours, default=0.0) and step == 0
            stopped, step = partners.line_maximum(longer, False, i, j, line, 0.5)
            assert step == next((s + 1 for s, value in enumerate(ours) if value >= 0.5), 0)
            compared += 1
    assert compared == 63 * 31


def test_threads_share_the_pixels(monkeypatch):
    random = np.random.default_rng(0)
    scores, probabilities = (torch.from_numpy(part)[None] for part in (walls((12, 14), random), soft((12, 14), random)))
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(torch, 'get_num_threads', lambda threads=threads: threads)
        found.append(numba.first_partners(scores, probabilities.contiguous(), 0.8, 'jsd', False))
    assert torch.equal(*found)
