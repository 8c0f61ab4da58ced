"""The region interaction of the authors' code of RANet, which differs from equations 6 to 8.

Shapes: B batch, C channels, H x W the feature map, P = H * W, R the representatives of an image.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from .construction import Regions

Block = Callable[[Tensor], Tensor]


def authors_context(queries: Tensor, values: Tensor, regions: Regions, after: tuple[Block, Block]) -> Tensor:
    """Collection, interaction and distribution as in the authors' code.

    No softmax has a mask. A representative collects from the whole image, and talks to its own region too. A pixel
    receives from all representatives. J weights the logits alone. The representatives are a list in raster order.

    Args:
        queries: A 3x3 convolution of A.
        values: Another one.
        regions: The regions of the same images.
        after: The 3x3 convolutions along the list, after collection and after interaction.

    Shape:
        queries and values [B, C, H, W] -> O [B, C, H, W].

    Deviation: A region with fewer than K pixels has all of them as representatives. The authors' code fills them up
    with pixels of other regions.

    Example:
        >>> regions = Regions(torch.tensor([[0, 0, 2]]), torch.ones(1, 3), torch.tensor([[True, False, True]]))
        >>> ones, same = torch.ones(1, 4, 1, 3), lambda rows: rows
        >>> authors_context(ones, ones, regions, (same, same))[0, 0]
        tensor([[5., 5., 5.]])
    """
    made = [_image_context(*parts, after) for parts in zip(queries, values, *regions[1:], strict=True)]
    return torch.stack(made)


def _image_context(
    queries: Tensor, values: Tensor, scores: Tensor, representatives: Tensor, after: tuple[Block, Block]
) -> Tensor:
    pixels, chosen = values.flatten(1).T, representatives.nonzero()[:, 0]
    scores = scores.to(values)
    own = _along(after[0], attend(pixels[chosen], pixels, scores))
    own = _along(after[1], attend(own, own, scores[chosen]))
    return attend(queries.flatten(1).T, own, scores[chosen]).T.reshape(queries.shape)


def attend(queries: Tensor, sources: Tensor, weights: Tensor) -> Tensor:
    """``x_i + sum_j softmax_j(x_i . w_j y_j) y_j`` for queries x [Q, C], sources y [R, C] and their weights w [R].

    Example:
        >>> attend(torch.ones(1, 2), torch.tensor([[1.0, 1.0], [3.0, 3.0]]), torch.zeros(2))
        tensor([[3., 3.]])
    """
    keys = sources * weights[:, None]
    found: Tensor = F.scaled_dot_product_attention(queries[None], keys[None], sources[None], scale=1.0)[0]
    return queries + found


def _along(block: Block, rows: Tensor) -> Tensor:
    """Runs a block over a list [R, C] as over a map [1, C, R, 1]."""
    return block(rows.T[None, :, :, None])[0, :, :, 0].T
