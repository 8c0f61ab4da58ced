import torch
from torch.nn import functional as F

from mmrev.models.layers.resizing import largest_size, to_largest


def test_all_get_the_largest_size():
    maps = [torch.randn(1, 2, 3, 4), torch.randn(1, 5, 6, 7), torch.randn(1, 1, 1, 1)]
    assert largest_size(maps) == (6, 7)
    for align_corners in (False, True):
        resized = to_largest(maps, align_corners)
        assert resized[1] is maps[1]
        for before, after in zip(maps, resized, strict=True):
            expected = F.interpolate(before, (6, 7), mode='bilinear', align_corners=align_corners)
            torch.testing.assert_close(after, expected)
