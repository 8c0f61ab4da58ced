import numpy as np
import pytest
import torch
from reference import scale_attention as reference

from mmrev.models.layers import fuse_scales, location_attention

SCALES, CLASSES = 3, 5


def made_up(dtype=torch.float64, scales=SCALES):
    scores = [torch.randn(2, CLASSES, 7, 9, dtype=dtype) for _ in range(scales)]
    return scores, torch.randn(2, scales, 7, 9, dtype=dtype), torch.randn(2, CLASSES, 7, 9, dtype=dtype)


@pytest.mark.parametrize('mode', ['multiply', 'add', None])
@pytest.mark.parametrize('scales', [1, 2, 4])
@pytest.mark.parametrize(('dtype', 'tolerance'), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_equations_1_to_4(mode, scales, dtype, tolerance):
    scores, raw, recalibration = made_up(dtype, scales)
    attention = location_attention(raw)
    given = (recalibration, mode) if mode else ()
    fused = fuse_scales(scores, attention, *given)
    for index in range(2):
        expected = reference.final_scores(
            [score[index].numpy() for score in scores],
            reference.location_attention(raw[index].numpy()),
            *((recalibration[index].numpy(), mode) if mode else ()),
        )
        np.testing.assert_allclose(fused[index].numpy(), expected, atol=tolerance)


def test_attention_is_a_distribution_over_the_scales():
    attention = location_attention(100 * torch.randn(2, SCALES, 7, 9))
    assert attention.min() >= 0 and attention.max() <= 1
    torch.testing.assert_close(attention.sum(1), torch.ones(2, 7, 9))


def test_equal_scores_at_all_scales_are_the_plain_scores():
    scores, raw, _ = made_up()
    torch.testing.assert_close(fuse_scales(scores[:1] * SCALES, location_attention(raw)), scores[0])


def test_a_scale_of_weight_one_is_all_that_counts():
    scores, raw, _ = made_up()
    raw[:, 1] = 1e4
    assert torch.equal(fuse_scales(scores, location_attention(raw)), scores[1])


def test_gradients_reach_everything():
    inputs = [
        part.requires_grad_() for scores, raw, recalibration in [made_up()] for part in (*scores, raw, recalibration)
    ]
    assert torch.autograd.gradcheck(
        lambda *x: fuse_scales(x[:SCALES], location_attention(x[SCALES]), x[SCALES + 1]), inputs
    )


def test_what_does_not_fit():
    scores, raw, recalibration = made_up()
    with pytest.raises(ValueError, match='2 score maps and 3 maps of attention'):
        fuse_scales(scores[:2], raw)
    with pytest.raises(ValueError, match="unknown recalibration 'divide'.*'multiply', 'add'"):
        fuse_scales(scores, raw, recalibration, mode='divide')
