"""Gaussian filtering in a few dimensions on the permutohedral lattice (Adams, Baek, Davis, Eurographics 2010).

Shape letters: P points, d dimensions, M vertices of the lattice that are in use, N channels.

The arithmetic on coordinates is in float32 and follows the order of the authors' C++ code. On a pixel grid, many points
lie exactly on the face between two simplices. There, another rounding gives a lattice with other vertices.
"""

import numpy as np
import scipy.sparse as sp

from mmrev.errors import ConfigError


class PermutohedralLattice:
    """Filters with the kernel exp(-|f_i - f_j|^2 / 2), up to a factor, in time linear in P.

    The filter splats the values onto the vertices of the simplex around each point. It blurs them along each of the
    d + 1 axes of the lattice with the weights (1/2, 1, 1/2), and slices the result at the points. Only vertices next to
    a point exist. Values that are blurred into other vertices are lost, so the result is approximate, and the filter is
    only approximately symmetric.

    Args:
        features: The points [P, d], in units of the kernel's standard deviation.

    Raises:
        ConfigError: The points lie too far apart to number the vertices with 64 bits.

    Example:
        >>> lattice = PermutohedralLattice(np.array([[0.0], [1.0], [9.0]]))
        >>> lattice.filter(np.ones((3, 2), np.float32)).shape
        (3, 2)
    """

    def __init__(self, features: np.ndarray) -> None:
        keys, weights, steps = _enclosing_simplices(features.astype(np.float32, copy=False))
        vertices, columns = np.unique(keys, return_inverse=True)
        starts = np.arange(0, keys.size + 1, keys.shape[1])
        self.interpolate = sp.csr_array((weights.ravel(), columns.ravel(), starts), shape=(len(keys), len(vertices)))
        self.blurs = [_blur(vertices, step) for step in steps]

    def filter(self, values: np.ndarray) -> np.ndarray:
        """Filters each channel: [P, N] -> [P, N]. float32 values stay float32."""
        values = self.interpolate.T @ values
        for blur in self.blurs:
            values = blur @ values
        return self.interpolate @ values


def _elevate(features: np.ndarray) -> np.ndarray:
    """Moves the points into the plane where coordinates sum to zero (the paper's matrix E): [P, d] -> [P, d + 1].

    The scale makes the standard deviation of the blur along all axes one feature unit.
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
    """Finds the d + 1 vertices of the simplex around each point.

    On the way from a vertex to the next one of its simplex, the coordinate of one axis falls by d, and all others grow
    by one. The way from a vertex to its neighbour on an axis is the same. Both ways add ``steps[axis]`` to the key.

    Returns:
        The keys of the vertices [P, d + 1], the barycentric weights [P, d + 1] and the steps [d + 1].
    """
    d = features.shape[1]
    elevated = _elevate(features)
    nearest = np.rint(elevated * np.float32(1 / (d + 1)))
    strides, steps = _numbering(nearest)
    order = np.argsort(nearest * np.float32(d + 1) - elevated, axis=1, kind='stable')
    # rounding may leave the plane: the coordinates with the largest rounding error move by one to return to it
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
    """Numbers the vertices: a key is the sum of the coordinates times their strides.

    The last coordinate follows from the others, so its stride is 0.

    Returns:
        The strides [d + 1], and the difference that a step along each axis makes to the key [d + 1].
    """
    d = nearest.shape[1] - 1
    around = 3  # in units of d + 1: one back to the plane, one to the other vertices of the simplex, one to a neighbour
    spans = (np.ptp(nearest[:, :d], axis=0).astype(float) + 2 * around) * (d + 1)
    if not spans.prod() < 2**63:
        raise ConfigError('the widths of a CRF kernel are too small for this image: use larger ones')
    strides = np.append(np.cumprod(np.append(1, spans[:-1].astype(int))), 0)
    return strides, strides.sum() - (d + 1) * strides


def _blur(vertices: np.ndarray, step: int) -> sp.csr_array:
    """The matrix [M, M] that adds to each vertex half of its two neighbours on one axis, where the neighbours exist.

    The keys in ``vertices`` are sorted.
    """
    count = len(vertices)
    found = np.searchsorted(vertices, vertices + step).clip(max=count - 1)
    here = np.flatnonzero(vertices[found] == vertices + step)
    half = sp.csr_array((np.full(len(here), 0.5, np.float32), (here, found[here])), shape=(count, count))
    return (sp.eye_array(count, dtype=np.float32) + half + half.T).tocsr()
