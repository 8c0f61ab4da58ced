"""RANet's region interaction block (Shen et al., NeurIPS 2020, section 3.2), without P x P tables.

Shapes: B batch, C channels, P pixels in raster order.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from mmrev.arguments import checked

from .attention import Pairing, set_attention
from .construction import Regions

Scope = Literal['region', 'image']


@checked
@dataclass(frozen=True)
class InteractionOptions:
    """The options of region interaction, checked.

    Args:
        intra: Whether the pixels of a region communicate (section 5.1). Without it, only representatives change.
        inter: Whether representatives of different regions communicate (section 5.1).
        scope: The pixels in the denominator of each softmax: those of its sum (``'region'``, as printed), or those of
            the whole image (``'image'``). The sums stay as printed. (The authors' code sums over the image too.)

    Raises:
        ConfigError: The scope is unknown.

    Example:
        >>> InteractionOptions(scope='batch')
        Traceback (most recent call last):
        mmrev.errors.ConfigError: InteractionOptions(scope='batch'): expected 'region' or 'image'
    """

    intra: bool = True
    inter: bool = True
    scope: Scope = 'region'


def region_interaction(
    features: Tensor, regions: Regions, *, intra: bool = True, inter: bool = True, scope: Scope = 'region'
) -> Tensor:
    """Equations 6 to 8: context goes from pixels to representatives, between representatives, and back.

    Args:
        features: A.
        regions: The regions of the same images.
        intra: As in ``InteractionOptions``.
        inter: As in ``InteractionOptions``.
        scope: As in ``InteractionOptions``.

    Shape:
        features [B, C, P] -> O [B, C, P].

    Raises:
        ConfigError: The scope is unknown.

    Reading: A sum over no pixel is zero. Equation 7 has one softmax over the representatives of all other regions, like
    its sum. The printed denominator could also mean one softmax for each region.

    Example:
        >>> regions = Regions(torch.tensor([[0, 0, 2]]), torch.ones(1, 3), torch.tensor([[True, False, True]]))
        >>> region_interaction(torch.ones(1, 4, 3), regions)[0, 0]
        tensor([4., 4., 4.])
    """
    options = InteractionOptions(intra, inter, scope)
    local_context = collect(features, regions, options)
    global_context = interact(local_context, regions, options)
    return distribute(features, global_context, regions, options)


def collect(features: Tensor, regions: Regions, options: InteractionOptions = InteractionOptions()) -> Tensor:
    """Equation 6, intra-region collection: each representative attends to the other pixels of its region.

    Shape:
        features A [B, C, P] -> local context A^l [B, C, P], zero at pixels that are no representatives.

    Example:
        >>> regions = Regions(torch.tensor([[0, 0, 2]]), torch.ones(1, 3), torch.tensor([[True, False, True]]))
        >>> collect(torch.ones(1, 4, 3), regions)[0, 0]  # the third pixel is alone in its region
        tensor([2., 0., 1.])
    """
    labels, scores, chosen = regions
    others = ~chosen & options.intra
    pairing = Pairing(labels, queries=chosen, keys=others, same=True, confined=options.scope == 'region')
    return set_attention(features, features, scores, pairing)


def interact(context: Tensor, regions: Regions, options: InteractionOptions = InteractionOptions()) -> Tensor:
    """Equation 7, inter-region interaction: each representative attends to those of other regions.

    Shape:
        local context A^l [B, C, P] -> global context A^g [B, C, P], zero at pixels that are no representatives.

    Example:
        >>> regions = Regions(torch.tensor([[0, 0, 2]]), torch.ones(1, 3), torch.tensor([[True, False, True]]))
        >>> interact(torch.tensor([2.0, 0.0, 1.0]).expand(1, 4, 3), regions)[0, 0]
        tensor([3., 0., 3.])
    """
    labels, scores, chosen = regions
    keys = chosen & options.inter
    pairing = Pairing(labels, queries=chosen, keys=keys, same=False, confined=options.scope == 'region')
    return set_attention(context, context, scores, pairing)


def distribute(
    features: Tensor, context: Tensor, regions: Regions, options: InteractionOptions = InteractionOptions()
) -> Tensor:
    """Equation 8, intra-region distribution: each pixel attends to the representatives of its region.

    Shape:
        features A [B, C, P], global context A^g [B, C, P] -> O [B, C, P].

    Example:
        >>> regions = Regions(torch.tensor([[0, 0, 2]]), torch.ones(1, 3), torch.tensor([[True, False, True]]))
        >>> distribute(torch.ones(1, 4, 3), torch.tensor([3.0, 0.0, 3.0]).expand(1, 4, 3), regions)[0, 0]
        tensor([4., 4., 4.])
    """
    labels, scores, chosen = regions
    if not options.intra:
        return torch.where(chosen[:, None], context, features * scores[:, None])
    everyone = torch.ones_like(chosen)
    pairing = Pairing(labels, queries=everyone, keys=chosen, same=True, confined=options.scope == 'region')
    return set_attention(features, context, scores, pairing)
