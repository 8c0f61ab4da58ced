import torch

from mmrev.models import PoolDropout


def test_it_averages_and_then_drops_in_training_only():
    features = torch.randn(3, 400, 5, 7) + 4
    neck = PoolDropout(0.25)
    (pooled,) = neck.eval()((features,))
    torch.testing.assert_close(pooled, features.mean((2, 3)))
    (dropped,) = neck.train()((features,))
    kept = dropped != 0
    assert 0.65 < kept.float().mean() < 0.85
    torch.testing.assert_close(dropped[kept], pooled[kept] / 0.75)
    assert torch.equal(PoolDropout()((features,))[0], pooled)
