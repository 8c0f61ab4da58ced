import numpy as np
import pytest
import torch
from fresh_process import run_fresh
from reference import ran

from mmrev.models.layers import reverse_attention

REFERENCE = {'simple': ran.attention_simple, 'normalized': ran.attention_normalized}


@pytest.mark.parametrize('mode', REFERENCE)
@pytest.mark.parametrize(('dtype', 'tolerance'), [(torch.float64, 1e-9), (torch.float32, 1e-6)])
def test_equals_the_equation(mode, dtype, tolerance):
    scores = torch.randn(2, 5, 7, 9, dtype=torch.float64) * 6
    expected = REFERENCE[mode](scores.numpy())
    ours = reverse_attention(scores.to(dtype), mode)
    assert ours.dtype == dtype
    np.testing.assert_allclose(ours.double().numpy(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize('mode', REFERENCE)
def test_gradient(mode):
    # no score is at the kink of the ReLU at zero
    scores = torch.tensor([-3.0, -1.0, -0.2, 0.1, 0.5, 2.0, 9.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: reverse_attention(x, mode), scores)


def test_simple_is_between_zero_and_one_and_falls():
    attention = reverse_attention(torch.linspace(-15, 15, 101, dtype=torch.float64))
    assert ((attention > 0) & (attention < 1)).all()
    assert (attention.diff() < 0).all()


def test_normalized_is_bounded_by_plus_and_minus_four():
    low, high = torch.tensor([-4.0, 4.0], dtype=torch.float64).sigmoid()
    attention = reverse_attention(torch.linspace(-1e6, 1e6, 10001, dtype=torch.float64), 'normalized')
    assert attention.min() >= low and attention.max() <= high
    assert attention[0] == high and attention[-1] < low + 1e-6


def test_unknown_mode():
    with pytest.raises(ValueError, match="'normalised'.*'simple', 'normalized'"):
        reverse_attention(torch.zeros(1), 'normalised')


def test_layers_need_torch_alone():
    code = (
        'import torch; from mmrev.models.layers import reverse_attention\n'
        'print(reverse_attention(torch.zeros(1)).item())'
    )
    assert run_fresh(code, absent=['mmengine', 'mmcv', 'mmseg', 'mmpretrain', 'mmdet']).strip() == '0.5'
