"""RANet (Shen et al., 2020) restated in NumPy and loops. Pixels are numbered in raster order; P = H * W."""

from fractions import Fraction
from math import floor

import numpy as np


def line(start, end, end_points=False):
    """The points at every unit step of the longer axis between two pixels, as exact fractions."""
    if start == end:
        return []
    steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
    chosen = range(steps + 1) if end_points else range(1, steps)
    return [tuple(a + Fraction(s * (b - a), steps) for a, b in zip(start, end, strict=True)) for s in chosen]


def interpolated(boundary, point):
    y, x = map(floor, point)
    fy, fx = float(point[0] - y), float(point[1] - x)
    down, right = min(y + 1, boundary.shape[0] - 1), min(x + 1, boundary.shape[1] - 1)
    return (1 - fy) * ((1 - fx) * boundary[y, x] + fx * boundary[y, right]) + fy * (
        (1 - fx) * boundary[down, x] + fx * boundary[down, right]
    )


def pairwise_boundary(boundary, end_points=False):  # equation 1
    pixels = [(y, x) for y in range(boundary.shape[0]) for x in range(boundary.shape[1])]
    return np.array(
        [
            [max((interpolated(boundary, p) for p in line(a, b, end_points)), default=0.0) for b in pixels]
            for a in pixels
        ]
    )


def entropy(p):
    return -sum(v * np.log2(v) for v in p if v > 0)


def pairwise_similarity(probabilities):  # equation 2 as the Jensen-Shannon divergence, from [N, H, W]
    c = probabilities.reshape(len(probabilities), -1).T
    return np.array([[entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2 for q in c] for p in c])


def binary_divergence(probabilities):  # the authors' code
    c = probabilities.reshape(len(probabilities), -1).T

    def xlogx(v):
        return v * np.log(v)

    def divergence(p, q):
        p, q = np.clip([p, q], 0.001, 0.99)
        return sum((xlogx(a) + xlogx(b)) / 2 - xlogx((a + b) / 2) for a, b in ((p, q), (1 - p, 1 - q)))

    return np.array([[divergence(p[p.argmax()], q[p.argmax()]) for q in c] for p in c])


def construct(
    boundary, probabilities, threshold=0.8, k=8, divergence=pairwise_similarity, end_points=False, temperature=1
):
    """Equations 3 to 5: labels, J and representatives."""
    clear = 1 - pairwise_boundary(boundary, end_points)
    f = clear * (1 - divergence(probabilities))
    np.fill_diagonal(f, 1)
    powers = probabilities ** (1 / temperature)
    decisive = clear * (1 - divergence(powers / powers.sum(0)))
    np.fill_diagonal(decisive, 1)
    together = (decisive + decisive.T) / 2 > threshold  # equation 4
    labels = np.array([next(j for j in range(i + 1) if together[i, j] or j == i) for i in range(len(f))])
    while (labels[labels] != labels).any():
        labels = labels[labels]
    scores = np.array([f[i, labels == labels[i]].mean() for i in range(len(f))])  # equation 5
    representatives = np.zeros(len(f), bool)
    for root in set(labels):
        inside = np.flatnonzero(labels == root)
        representatives[sorted(inside, key=lambda i: (-round(scores[i], 9), i))[:k]] = True
    return labels, scores, representatives


def softmax_sum(query, keys, everything):
    """Sums exp(query . key) key over the keys, divided by the sum of exp(query . key) over everything. No key: zero."""
    if not len(keys):
        return np.zeros_like(query)
    highest = (everything @ query).max()
    return np.exp(keys @ query - highest) @ keys / np.exp(everything @ query - highest).sum()


def interact(
    features, labels, scores, representatives, intra=True, inter=True, scope='region', refine=lambda table, step: table
):
    """Equations 6 to 8: [P, C] -> [P, C]. With scope 'image', the softmaxes are over all keys of the image.

    ``refine`` stands for the convolutions. It gets the table of the representatives, zero at other pixels, after step 6
    and step 7.
    """

    def passed(query, table, chosen):
        return softmax_sum(query, table[chosen], table[chosen] if scope == 'region' else table)

    def between(found, step):
        table = np.zeros_like(features)
        for i, value in found.items():
            table[i] = value
        table = refine(table, step)
        return {i: table[i] for i in found}

    weighted = features * scores[:, None]
    others, chosen = np.flatnonzero(~representatives), np.flatnonzero(representatives)
    local = {
        i: weighted[i] + (passed(features[i], weighted[others], labels[others] == labels[i]) if intra else 0)
        for i in chosen
    }  # equation 6
    local = between(local, 6)
    distilled = np.array([scores[i] * local[i] for i in chosen])
    distant = {
        i: scores[i] * local[i] + (passed(local[i], distilled, labels[chosen] != labels[i]) if inter else 0)
        for i in chosen
    }  # equation 7
    distant = between(distant, 7)
    spread = np.array([scores[i] * distant[i] for i in chosen])
    out = weighted.copy()
    for i in range(len(features)):  # equation 8
        if intra:
            out[i] += passed(features[i], spread, labels[chosen] == labels[i])
        elif representatives[i]:
            out[i] = distant[i]
    return out
