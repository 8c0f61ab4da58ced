import numpy as np
import pytest

from mmrev.datasets.transforms import BoundaryLabels, boundary_labels


def directly(mask, radius):
    """Pixel by pixel."""
    found = np.zeros_like(mask)
    for y, x in np.ndindex(mask.shape):
        near = [(v, u) for v, u in np.ndindex(mask.shape) if (v - y) ** 2 + (u - x) ** 2 <= radius ** 2]
        found[y, x] = 255 if mask[y, x] == 255 else any(mask[p] not in (mask[y, x], 255) for p in near)
    return found


@pytest.mark.parametrize('radius', [1, 2, 3])
@pytest.mark.parametrize('shape', [(1, 1), (1, 9), (12, 15)])
def test_another_class_within_the_radius(radius, shape):
    random = np.random.default_rng(0)
    blocks = np.kron(random.choice([0, 1, 2, 200, 255], (3, 3)), np.ones((4, 5), int))
    mask = blocks.astype(np.uint8)[:shape[0], :shape[1]]
    np.testing.assert_array_equal(boundary_labels(mask, radius), directly(mask, radius))


def test_an_ignored_gap_is_no_boundary():
    mask = np.array([[0, 0, 255, 0, 0, 255, 1, 1, 1]], np.uint8)
    assert boundary_labels(mask).tolist() == [[0, 0, 255, 0, 1, 255, 1, 0, 0]]


def test_as_a_pipeline_step():
    results = BoundaryLabels(radius=1).transform(dict(gt_seg_map=np.array([[0, 0, 1, 1]], np.uint8)))
    assert results['gt_edge_map'].tolist() == [[0, 1, 1, 0]] and results['gt_edge_map'].dtype == np.uint8
