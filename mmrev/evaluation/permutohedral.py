"""Gaussian filtering in a few dimensions on the permutohedral lattice (Adams, Baek, Davis, Eurographics 2010).

Shape letters: P points, d dimensions, M vertices of the lattice that are in use, N channels.

All arithmetic on coordinates is in float32 and in the order of the authors' C++ code: on a pixel grid many points lie
exactly on a face between two simplices, and a rounding that differs there gives a lattice with other vertices.
"""

import numpy as np
import scipy.sparse as sp

from mmrev.errors import ConfigError


class PermutohedralLattice:
    """Filters with the kernel exp(-|f_i - f_j|^2 / 2), up to a factor, in time linear in P.

    Values are splatted onto the vertices of the simplex around each point, blurred along each of the d + 1 axes of the
    lattice with the weights (1/2, 1, 1/2), and sliced at the points. Vertices next to no point do not exist: what is
    blurred into them is lost, which makes the result approximate, and symmetric only approximately.

    Args:
        features: [P, d], the points in units of the kernel's standard deviation.

    Raises:
        ConfigError: The points are spread too far to number the vertices with 64 bits.
    """

    def __init__(self, features: np.ndarray) -> None:
        keys, weights, steps = _enclosing_simplices(features.astype(np.float32, copy=False))
        vertices, columns = np.unique(keys, return_inverse=True)
        starts = np.arange(0, keys.size + 1, keys.shape[1])
        self.interpolate = sp.csr_array((weights.ravel(), columns.ravel(), starts), shape=(len(keys), len(vertices)))
        self.blurs = [_blur(vertices, step) for step in steps]

    def filter(self, values: np.ndarray) -> np.ndarray:
        """[P, N] -> [P, N], float32 for float32."""
        values = self.interpolate.T @ values
        for blur in self.blurs:
            values = blur @ values
        return self.interpolate @ values


def _elevate(features: np.ndarray) -> np.ndarray:
    """[P, d] -> [P, d + 1]: into the plane where coordinates sum to zero (the matrix E of the paper).

    Scaled so that the blur along all the axes has a standard deviation of one feature unit.
    """
    points, d = features.shape
    axes = np.arange(1, d + 1)
    scaled = features * (np.float32(np.sqrt(2 / 3) * (d + 1)) / np.sqrt(axes * (axes + 1))).astype(np.float32)
    elevated = np.zeros((points, d + 1), np.float32)
    for axis in range(d, 0, -1):
        elevated[:, axis] = elevated[:, 0] - np.float32(axis) * scaled[:, axis - 1]
        elevated[:, 0] += scaled[:, axis - 1]
    return elevated


def _enclosing_simplices(features: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The vertices around each point: keys [P, d + 1], barycentric weights [P, d + 1], and a key's steps [d + 1].

    From a vertex to the next one of its simplex, all coordinates grow by one but that of one axis, which falls by d; so
    do they from a vertex to its neighbour on an axis. Both add ``steps[axis]`` to the key.
    """
    d = features.shape[1]
    elevated = _elevate(features)
    nearest = np.rint(elevated * np.float32(1 / (d + 1)))
    strides, steps = _numbering(nearest)
    order = np.argsort(nearest * np.float32(d + 1) - elevated, axis=1, kind='stable')
    # Rounding may leave the plane; moving the coordinates that were rounded furthest by one returns to it.
    rank = np.arange(d, -1, -1) - nearest.sum(axis=1, keepdims=True).astype(int)
    order = np.take_along_axis(order, rank % (d + 1), axis=1)
    base = np.take_along_axis(nearest.astype(int), order, axis=1) + rank // (d + 1)

    keys = np.empty(order.shape, np.int64)
    keys[:, 0] = (base * (strides * (d + 1))[order]).sum(axis=1)
    keys[:, 1:] = keys[:, :1] + steps[order[:, :-1]].cumsum(axis=1)

    offset = np.take_along_axis(elevated, order, axis=1) - base.astype(np.float32) * np.float32(d + 1)
    inside = offset * np.float32(1 / (d + 1))
    weights = inside - np.roll(inside, 1, axis=1)
    weights[:, 0] += 1
    return keys, weights, steps


def _numbering(nearest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each coordinate adds to the key of a vertex, [d + 1], and what a step along each axis adds, [d + 1].

    The last coordinate follows from the others and adds nothing.
    """
    d = nearest.shape[1] - 1
    around = 3  # units of d + 1: back to the plane, to the other vertices of the simplex, to a neighbour
    spans = (np.ptp(nearest[:, :d], axis=0).astype(float) + 2 * around) * (d + 1)
    if not spans.prod() < 2**63:
        raise ConfigError('the widths of a CRF kernel are too small for this image: use larger ones')
    strides = np.append(np.cumprod(np.append(1, spans[:-1].astype(int))), 0)
    return strides, strides.sum() - (d + 1) * strides


def _blur(vertices: np.ndarray, step: int) -> sp.csr_array:
    """[M, M]: each vertex plus half of its two neighbours on one axis, where they exist. The keys are sorted."""
    count = len(vertices)
    found = np.searchsorted(vertices, vertices + step).clip(max=count - 1)
    here = np.flatnonzero(vertices[found] == vertices + step)
    half = sp.csr_array((np.full(len(here), 0.5, np.float32), (here, found[here])), shape=(count, count))
    return (sp.eye_array(count, dtype=np.float32) + half + half.T).tocsr()
