import numpy as np
import pytest
from mmseg.datasets.transforms import RandomCrop, RandomFlip

from mmrev.datasets.transforms import BoundaryLabels, boundary_labels
from mmrev.errors import ConfigError


def directly(mask, radius):
    """Pixel by pixel."""
    found = np.zeros_like(mask)
    for y, x in np.ndindex(mask.shape):
        near = [(v, u) for v, u in np.ndindex(mask.shape) if (v - y) ** 2 + (u - x) ** 2 <= radius**2]
        found[y, x] = 255 if mask[y, x] == 255 else any(mask[p] not in (mask[y, x], 255) for p in near)
    return found


@pytest.mark.parametrize('radius', [1, 2, 3])
@pytest.mark.parametrize('shape', [(1, 1), (1, 9), (12, 15)])
def test_another_class_within_the_radius(radius, shape):
    random = np.random.default_rng(0)
    blocks = np.kron(random.choice([0, 1, 2, 200, 255], (3, 3)), np.ones((4, 5), int))
    mask = blocks.astype(np.uint8)[: shape[0], : shape[1]]
    np.testing.assert_array_equal(boundary_labels(mask, radius), directly(mask, radius))


def test_an_ignored_gap_is_no_boundary():
    mask = np.array([[0, 0, 255, 0, 0, 255, 1, 1, 1]], np.uint8)
    assert boundary_labels(mask).tolist() == [[0, 0, 255, 0, 1, 255, 1, 0, 0]]


def test_another_ignored_label():
    mask = np.array([[0, 0, 1, 1, 2, 2]], np.uint8)
    assert boundary_labels(mask, 1, ignore_index=1).tolist() == [[0, 0, 255, 255, 0, 0]]
    given = BoundaryLabels(radius=1, ignore_index=1).transform(dict(gt_seg_map=mask))
    assert given['gt_edge_map'].tolist() == [[0, 0, 255, 255, 0, 0]]


def test_flips_and_crops_behind_it_take_it_along():
    mask = np.random.default_rng(0).integers(3, size=(20, 30)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
    results = dict(
        gt_seg_map=mask, img=np.zeros((*mask.shape, 3), np.uint8), img_shape=mask.shape, seg_fields=['gt_seg_map']
    )
    for step in (BoundaryLabels(), RandomCrop((40, 60)), RandomFlip(prob=1.0)):
        results = step(results)
    inside = boundary_labels(results['gt_seg_map'])[2:-2, 2:-2]  # the crop has no neighbours at its edges
    np.testing.assert_array_equal(results['gt_edge_map'][2:-2, 2:-2], inside)
    assert results['gt_edge_map'].shape == (40, 60) and inside.any()


def test_without_a_mask():
    with pytest.raises(ConfigError, match='put it after LoadAnnotations and before PackSegInputs'):
        BoundaryLabels().transform(dict(inputs=0))


def test_as_a_pipeline_step():
    corner = np.zeros((9, 9), np.uint8)
    corner[:4, :4] = 1
    assert BoundaryLabels().transform(dict(gt_seg_map=corner))['gt_edge_map'][0].tolist() == [0, 0, 1, 1, 1, 1, 0, 0, 0]
    results = BoundaryLabels(radius=1).transform(dict(gt_seg_map=np.array([[0, 0, 1, 1]], np.uint8)))
    assert results['gt_edge_map'].tolist() == [[0, 1, 1, 0]] and results['gt_edge_map'].dtype == np.uint8
