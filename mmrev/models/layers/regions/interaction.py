"""RANet's region interaction block (section 3.2) without P x P tables.

Shapes: B batch, C channels, P pixels in raster order.
"""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from .attention import Pairing, set_attention
from .construction import Regions

Refine = Callable[[Tensor], Tensor]
Scope = Literal['region', 'image']
SCOPES = ('region', 'image')


def region_interaction(
    features: Tensor,
    regions: Regions,
    *,
    intra: bool = True,
    inter: bool = True,
    scope: Scope = 'region',
    after_collection: Refine | None = None,
    after_interaction: Refine | None = None,
) -> Tensor:
    """Passes context from pixels to their region's representatives, between these, and back (equations 6 to 8).

    Args:
        features: A, [B, C, P].
        regions: Of the same images.
        intra: Whether regions communicate inside (table 1); without, the representatives alone change.
        inter: Whether representatives of different regions communicate (table 1).
        scope: Over what the softmaxes run: ``'region'`` the pixels of their sum, ``'image'`` those of all the image;
            the sums stay as printed. (In the authors' code the sums run over the image too.)
        after_collection: What is done with the map of the representatives' context, [B, C, P], zero at other pixels,
            after equation 6: a convolution, in the authors' code.
        after_interaction: The same after equation 7.

    Returns:
        O, [B, C, P].

    Raises:
        ValueError: ``scope`` is neither of the two.

    Reading: a sum over no pixel is zero. Equation 7 has one softmax over the representatives of all other regions, as
    its sum runs; the printed denominator could also mean one a region.
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
    labels, scores, chosen = regions
    return set_attention(features, features, scores, Pairing(labels, chosen, ~chosen & intra, True, confined))


def interact(context: Tensor, regions: Regions, inter: bool = True, confined: bool = True) -> Tensor:
    """Equation 7: representatives look at those of other regions; [B, C, P], zero at other pixels."""
    labels, scores, chosen = regions
    return set_attention(context, context, scores, Pairing(labels, chosen, chosen & inter, False, confined))


def distribute(
    features: Tensor, context: Tensor, regions: Regions, intra: bool = True, confined: bool = True
) -> Tensor:
    """Equation 8: pixels look at the representatives of their region; [B, C, P]."""
    labels, scores, chosen = regions
    if not intra:
        return torch.where(chosen[:, None], context, features * scores[:, None])
    return set_attention(features, context, scores, Pairing(labels, torch.ones_like(chosen), chosen, True, confined))
