import numpy as np
import pytest
import region_maps
import torch
from reference import ranet

from mmrev.models.layers import pairwise_boundary, pairwise_similarity
from mmrev.models.layers.regions.equations import region_attention

every_map = pytest.mark.parametrize(
    ('kind', 'size'), [(kind, size) for kind in region_maps.KINDS for size in region_maps.SIZES]
)


@every_map
@pytest.mark.parametrize('ends', [False, True])
def test_equations_1_and_2(kind, size, ends):
    boundary, probabilities = region_maps.make(kind, size)
    ours = pairwise_boundary(boundary, ends), pairwise_similarity(probabilities)
    for index in range(2):
        np.testing.assert_allclose(ours[0][index], ranet.pairwise_boundary(boundary[index].numpy(), ends), atol=1e-12)
        np.testing.assert_allclose(ours[1][index], ranet.pairwise_similarity(probabilities[index].numpy()), atol=1e-12)


@every_map
def test_symmetric_zero_on_the_diagonal_and_in_0_1(kind, size):
    boundary, probabilities = region_maps.make(kind, size)
    for table in (*(pairwise_boundary(boundary, ends) for ends in (False, True)), pairwise_similarity(probabilities)):
        assert torch.equal(table, table.transpose(1, 2))
        assert table.diagonal(dim1=1, dim2=2).abs().max() < 1e-15 and 0 <= table.min() <= table.max() <= 1


@pytest.mark.parametrize('size', region_maps.SIZES)
def test_a_transposed_image_transposes_the_tables(size):
    boundary, probabilities = region_maps.make('random', size)
    height, width = size
    there = torch.arange(height * width).view(height, width).T.flatten()
    turned = (pairwise_boundary(boundary.transpose(1, 2)), pairwise_similarity(probabilities.transpose(2, 3)))
    for table, other in zip((pairwise_boundary(boundary), pairwise_similarity(probabilities)), turned, strict=True):
        torch.testing.assert_close(table[:, there][:, :, there], other, rtol=0, atol=1e-14)


def test_what_lies_between():
    boundary = torch.zeros(1, 3, 5, dtype=torch.float64)
    boundary[0, 1, 2], boundary[0, 0, 1] = 0.8, 0.4
    table = pairwise_boundary(boundary)[0]
    with_ends = pairwise_boundary(boundary, end_points=True)[0]
    assert with_ends[6, 7] == with_ends[7, 8] == 0.8 and with_ends[7, 7] == 0
    assert with_ends[1, 14] == pytest.approx(0.8 * 2 / 3) and with_ends[0, 5] == 0
    assert table[5, 9] == 0.8  # along the middle row
    assert table[6, 7] == table[7, 8] == 0  # the end points are not on the line
    assert table[0, 4] == 0.4
    assert table[0, 12] == 0  # from (0, 0) to (2, 2) through (1, 1) alone
    assert table[0, 7] == pytest.approx(0.5 * 0.4)  # from (0, 0) to (1, 2): between (0, 1) and (1, 1)
    assert table[0, 9] == pytest.approx(0.5 * 0.8)  # (0, 1) weighs 3/4 at x = 1, (1, 2) one half at x = 2


def test_no_class_in_common_is_one_bit():
    probabilities = torch.eye(3, dtype=torch.float64).view(1, 3, 1, 3)
    assert torch.equal(pairwise_similarity(probabilities)[0], 1 - torch.eye(3, dtype=torch.float64))


def test_the_authors_divergence():
    boundary, probabilities = region_maps.make('random', (4, 5))
    rows, columns = region_attention(boundary, probabilities, slice(3, 9), 'binary_jsd')
    for index in range(2):
        f = (1 - ranet.pairwise_boundary(boundary[index].numpy())) * (
            1 - ranet.binary_divergence(probabilities[index].numpy())
        )
        np.testing.assert_allclose(rows[index], f[3:9], atol=1e-12)
        np.testing.assert_allclose(columns[index], f.T[3:9], atol=1e-12)


def test_gradients():
    boundary, probabilities = (part.requires_grad_() for part in region_maps.make('random', (3, 4)))
    for ends in (False, True):
        assert torch.autograd.gradcheck(lambda scores, ends=ends: pairwise_boundary(scores, ends), boundary)
    assert torch.autograd.gradcheck(pairwise_similarity, probabilities)


def test_probability_zero_has_a_finite_gradient():
    probabilities = torch.eye(3).view(1, 3, 1, 3).requires_grad_()
    pairwise_similarity(probabilities).sum().backward()
    assert probabilities.grad.isfinite().all()
