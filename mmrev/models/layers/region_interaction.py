"""RANet's region interaction block (section 3.2) without P x P tables.

Shapes: B batch, C channels, P pixels in raster order.
"""
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from .region_construction import Regions
from .set_attention import set_attention

Refine = Callable[[Tensor], Tensor]
Scope = Literal['region', 'image']
SCOPES = ('region', 'image')


def region_interaction(features: Tensor, regions: Regions, *, intra: bool = True, inter: bool = True,
                       scope: Scope = 'region', after_collection: Refine | None = None,
                       after_interaction: Refine | None = None) -> Tensor:
    """Passes context from pixels to their region's representatives, between these, and back (equations 6 to 8).

    Args:
        features: A, [B, C, P].
        regions: Of the same images.
        intra: Whether regions communicate inside (table 1); without, the representatives alone change.
        inter: Whether representatives of different regions communicate (table 1).
        scope: Over what the softmaxes run: ``'region'`` the pixels of their sum, ``'image'`` all of the image, as in
            the authors' code.
        after_collection: What is done with the map of the representatives' context, [B, C, P], zero at other pixels,
            after equation 6: a convolution, in the authors' code.
        after_interaction: The same after equation 7.

    Returns:
        O, [B, C, P].

    Raises:
        ValueError: ``scope`` is neither of the two.

    Reading: a sum over no pixel is zero.
    """
    if scope not in SCOPES:
        raise ValueError(f'unknown scope {scope!r}: use one of {", ".join(map(repr, SCOPES))}')
    confined = scope == 'region'
    context = collect(features, regions, intra, confined)
    context = context if after_collection is None else after_collection(context)
    context = interact(context, regions, inter, confined)
    context = context if after_interaction is None else after_interaction(context)
    return distribute(features, context, regions, intra, confined)


def collect(features: Tensor, regions: Regions, intra: bool = True, confined: bool = True) -> Tensor:
    """Equation 6: representatives look at the other pixels of their region; [B, C, P], zero at these."""
    def of_image(pixels: Tensor, labels: Tensor, scores: Tensor, chosen: Tensor) -> Tensor:
        weighted = pixels * scores
        local = weighted[chosen]
        if intra:
            local = local + set_attention(pixels[chosen], weighted[~chosen], labels[chosen], labels[~chosen], True,
                                          confined)
        return torch.zeros_like(pixels).masked_scatter(chosen[:, None], local)
    return _each_image(of_image, features, regions)


def interact(context: Tensor, regions: Regions, inter: bool = True, confined: bool = True) -> Tensor:
    """Equation 7: representatives look at those of other regions; [B, C, P], zero at other pixels."""
    def of_image(pixels: Tensor, labels: Tensor, scores: Tensor, chosen: Tensor) -> Tensor:
        local, inside = pixels[chosen], labels[chosen]
        distilled = scores[chosen] * local
        distant = distilled + set_attention(local, distilled, inside, inside, False, confined) if inter else distilled
        return torch.zeros_like(pixels).masked_scatter(chosen[:, None], distant)
    return _each_image(of_image, context, regions)


def distribute(features: Tensor, context: Tensor, regions: Regions, intra: bool = True,
               confined: bool = True) -> Tensor:
    """Equation 8: pixels look at the representatives of their region; [B, C, P]."""
    def of_image(both: Tensor, labels: Tensor, scores: Tensor, chosen: Tensor) -> Tensor:
        pixels, distant = both.chunk(2, dim=1)
        weighted = pixels * scores
        if not intra:
            return torch.where(chosen[:, None], distant, weighted)
        return weighted + set_attention(pixels, (scores * distant)[chosen], labels, labels[chosen], True, confined)
    return _each_image(of_image, torch.cat([features, context], dim=1), regions)


def _each_image(function: Callable[..., Tensor], features: Tensor, regions: Regions) -> Tensor:
    """Applies a function of pixels [P, C], labels [P], scores [P, 1] and representatives [P] to each image."""
    features = features.to(torch.promote_types(features.dtype, regions.scores.dtype))  # both sides of every softmax
    return torch.stack([function(pixels.T, labels, scores[:, None], chosen).T
                        for pixels, labels, scores, chosen in zip(features, *regions, strict=True)])
