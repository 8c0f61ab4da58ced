"""RANet's heads and score maps for ``ranet.py``.

The score maps are ready-made, so their regions are known:

trained      Blobs of classes, with boundaries between them.
every pixel  Each pixel is its own region (Q = P), which an untrained network can give.
one region   All pixels form one region: no line and no sum can end early. In the table of region construction only.
untrained    Scores near zero: one region too, and no pixel finds its partner early. In the same table only.

Shapes: B batch, C channels, N classes, H x W the feature map, P = H * W its pixels.
"""

from collections.abc import Callable, Sequence
from unittest.mock import patch

import torch
from torch import Tensor
from torch.nn import functional as F

from mmrev.models.decode_heads.region_attention_head import RegionAttentionHead
from mmrev.models.layers import region_layers
from mmrev.models.layers.regions import interaction, pairwise_boundary, pairwise_similarity, region_interaction
from mmrev.models.layers.regions.attention import Pairing
from mmrev.models.layers.regions.construction import Regions, best_of_each, roots, sharpened
from mmrev.models.layers.regions.options import ConstructionOptions

Maps = tuple[Tensor, Tensor]  # boundary scores [B, 1, H, W] and semantic scores [B, N, H, W]
Case = Callable[[int, int], Maps]  # from the size and the number of classes


class GivenRegionsHead(RegionAttentionHead):
    """Computes its score maps, and then uses ready-made ones."""

    def __init__(self, given: Maps, **kwargs) -> None:
        super().__init__(**kwargs)
        self.given = given

    def _maps(self, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        visual, boundary, semantic = super()._maps(inputs)
        return visual, self.given[0] + 0 * boundary, self.given[1] + 0 * semantic

    def region_parts(self, visual: Tensor) -> Tensor:
        """All but the convolutions: [B, C, H, W] -> [B, C, P]."""
        regions = self._regions(*(given.detach().requires_grad_() for given in self.given))
        return region_interaction(visual.flatten(2), regions)


class DenseRegionsHead(GivenRegionsHead):
    """Holds the P x P tables of equations 1 to 4, and those of the attentions, for autograd."""

    def _regions(self, boundary: Tensor, semantic: Tensor) -> Regions:
        with patch.object(region_layers, 'construct', dense_construction):
            return super()._regions(boundary, semantic)

    def _context(self, visual: Tensor, regions: Regions) -> Tensor:
        with patch.object(interaction, 'set_attention', dense_attention):
            return super()._context(visual, regions)

    def region_parts(self, visual: Tensor) -> Tensor:
        with patch.object(interaction, 'set_attention', dense_attention):
            return super().region_parts(visual)


def dense_construction(boundary: Tensor, probabilities: Tensor, options: ConstructionOptions) -> Regions:
    """Equations 1 to 5 as they are printed."""
    clear = 1 - pairwise_boundary(boundary, options.end_points)
    attention = clear * (1 - pairwise_similarity(probabilities))
    decisive = clear * (1 - pairwise_similarity(sharpened(probabilities.detach(), options.temperature)))
    pixels = torch.arange(attention.shape[1], device=attention.device)
    labels = roots(torch.where(decisive > options.threshold, pixels, len(pixels)).amin(2))
    inside = labels[:, :, None] == labels[:, None]
    scores = (attention * inside).sum(2) / inside.sum(2)
    return Regions(labels, scores, best_of_each(scores.detach(), labels, options.num_representatives))


def dense_attention(features: Tensor, sources: Tensor, scores: Tensor, pairing: Pairing) -> Tensor:
    """``set_attention`` with all its tables, for confined softmaxes."""
    keys = scores[:, None] * sources
    same = pairing.labels[:, :, None] == pairing.labels[:, None]
    inside = (same == pairing.same) & pairing.queries[:, :, None] & pairing.keys[:, None]
    logits = features.mT @ keys
    # A row can lie outside entirely, and a softmax over -inf alone is no number.
    weights = logits.masked_fill(~inside, torch.finfo(logits.dtype).min).softmax(2) * inside
    return (scores[:, None] * features + keys @ weights.mT) * pairing.queries[:, None]


def trained(size: int, classes: int) -> Maps:
    """Sixty blobs. Each blob has the pixels that are nearest to one point."""
    random = torch.Generator().manual_seed(0)
    pixels = torch.cartesian_prod(torch.arange(size), torch.arange(size)).float()
    blobs = torch.cdist(pixels, torch.rand(60, 2, generator=random) * size).argmin(1).view(1, 1, size, size)
    border = F.max_pool2d(blobs.float(), 3, 1, 1) + F.max_pool2d(-blobs.float(), 3, 1, 1) > 0
    noise = torch.randn(1, 1 + classes, size, size, generator=random) / 2
    return torch.where(border, 3.0, -4.0) + noise[:, :1], semantic(blobs % classes, classes) + noise[:, 1:]


def every_pixel(size: int, classes: int) -> Maps:
    """Neighbours differ in class. A boundary lies between all other pixels."""
    y, x = torch.arange(size)[:, None] % 2, torch.arange(size) % 2
    return torch.full((1, 1, size, size), 9.0), semantic((2 * y + x)[None, None], classes)


def one_region(size: int, classes: int) -> Maps:
    return torch.full((1, 1, size, size), -4.0), semantic(torch.zeros(1, 1, size, size).long(), classes)


def untrained(size: int, classes: int) -> Maps:
    random = torch.Generator().manual_seed(0)
    scores = torch.randn(1, 1 + classes, size, size, generator=random) / 20
    return scores[:, :1], scores[:, 1:]


def semantic(labels: Tensor, classes: int) -> Tensor:
    return 8.0 * F.one_hot(labels[:, 0], classes).movedim(-1, 1)


CASES = {'trained': trained, 'every pixel': every_pixel, 'one region': one_region, 'untrained': untrained}
