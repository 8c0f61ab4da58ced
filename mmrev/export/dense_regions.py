"""RANet's operators in plain operators of torch, over tables of all pairs of pixels, for maps of one small size.

ONNX has no operators with loops over regions. A small map needs none: partners of partners are followed a fixed number
of times, and the attention of equations 6 to 8 is a softmax with a mask.

Shapes: B batch, C channels, N classes, H x W the feature map, P = H * W its pixels in raster order.
"""

from typing import Any

import torch
from torch import Tensor

from mmrev.errors import ConfigError
from mmrev.models.layers.regions.construction import sharpened
from mmrev.models.layers.regions.similarity import SIMILARITIES

from .dense_lines import line_maxima

LIMIT = 1024  # P at most: the tables have P x P numbers, and a line has up to max(H, W) points
NEEDS_SIZE = (
    f'RANet to ONNX takes images of one size, whose feature map has {LIMIT} pixels at most: give it with --size HEIGHT '
    'WIDTH, or use --format torch-export, which takes all sizes'
)


def without_operators(program: torch.export.ExportedProgram) -> torch.export.ExportedProgram:
    """Replaces RANet's operators in an exported program by plain ones. A program without them stays as it is.

    Raises:
        ConfigError: The program is for more than one size of images, or a feature map has more than ``LIMIT`` pixels.
    """
    operators: Any = torch.ops.mmrev
    dense = {
        operators.region_construction.default: dense_construction,
        operators.set_attention.default: dense_attention,
    }
    boundaries = [node.args[0] for node in program.graph.nodes if node.target is operators.region_construction.default]
    if not boundaries:
        return program
    for boundary in boundaries:
        height, width = boundary.meta['val'].shape[1:]
        if not (isinstance(height, int) and isinstance(width, int)):
            raise ConfigError(NEEDS_SIZE)
        if height * width > LIMIT:
            raise ConfigError(
                f'the feature map of RANet has {height} x {width} = {height * width} pixels at this --size, and a file '
                f'of ONNX takes {LIMIT} at most: give a smaller --size, or use --format torch-export'
            )
    return program.run_decompositions(dense)


def dense_construction(
    boundary: Tensor,
    probabilities: Tensor,
    threshold: float,
    num_representatives: int,
    similarity: str,
    end_points: bool,
    temperature: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """``mmrev::region_construction``: the scores, the labels and the representatives of regions."""
    clear = 1 - line_maxima(boundary, end_points)
    rows = attention(clear, sharpened(probabilities, temperature), similarity)
    together = (rows + rows.transpose(1, 2)) / 2 > threshold
    labels = roots(first_partners(together))
    inside = labels[:, :, None] == labels[:, None]
    if temperature != 1:
        rows = attention(clear, probabilities, similarity)
    itself = torch.eye(labels.shape[1], dtype=torch.bool)
    scores = torch.where(itself, 1.0, rows * inside).sum(2) / inside.sum(2)
    return scores, labels, best_of_each(scores, inside, num_representatives)


def attention(clear: Tensor, probabilities: Tensor, similarity: str) -> Tensor:
    """Equation 3: F, [B, P, P]. ``clear`` is 1 - D of equation 1."""
    pixels = probabilities.flatten(2)
    return clear * (1 - SIMILARITIES[similarity].divergence(pixels, pixels))


def first_partners(together: Tensor) -> Tensor:
    """The first pixel that each pixel belongs together with, or itself: [B, P, P] -> [B, P].

    Example:
        >>> first_partners(torch.tensor([[[False, False, True], [False, False, False], [True, False, False]]]))
        tensor([[0, 1, 0]])
    """
    pixels = torch.arange(together.shape[1])
    return torch.where(together | (pixels[:, None] == pixels), pixels, len(pixels)).amin(2)


def roots(partners: Tensor) -> Tensor:
    """Follows partners of partners to the end, [B, P] -> [B, P]. Each step doubles the length of what was followed.

    Example:
        >>> roots(torch.tensor([[0, 0, 1, 2, 4]]))
        tensor([[0, 0, 0, 0, 4]])
    """
    for _ in range((partners.shape[1] - 1).bit_length()):
        partners = partners.gather(1, partners)
    return partners


def best_of_each(scores: Tensor, inside: Tensor, count: int) -> Tensor:
    """Marks the ``count`` pixels with the highest scores in each region, [B, P] bool, by counting the better ones.

    Args:
        scores: J, [B, P].
        inside: Whether two pixels are of one region, [B, P, P].
        count: K.

    Example:
        >>> best_of_each(torch.tensor([[0.5, 0.9, 0.5, 0.1]]), torch.ones(1, 4, 4, dtype=torch.bool), 2)
        tensor([[ True,  True, False, False]])
    """
    rounded = scores.round(decimals=9 if scores.dtype == torch.float64 else 6)
    own, other, pixels = rounded[:, :, None], rounded[:, None], torch.arange(scores.shape[1])
    better = (other > own) | ((other == own) & (pixels < pixels[:, None]))
    return (better & inside).sum(2) < count


def dense_attention(
    features: Tensor,
    sources: Tensor | None,
    scores: Tensor,
    labels: Tensor,
    queries: Tensor,
    keys: Tensor,
    same: bool,
    confined: bool,
) -> tuple[Tensor, Tensor]:
    """``mmrev::set_attention``: the result, and the logarithm of each query's sum of exponentials."""
    kind = torch.promote_types(features.dtype, scores.dtype)
    x, own = features.to(kind), scores[:, None].to(kind)
    y = own * (x if sources is None else sources.to(kind))
    inside = ((labels[:, :, None] == labels[:, None]) == same) & keys[:, None]
    counted = inside if confined else keys[:, None].expand_as(inside)
    logits = x.transpose(1, 2) @ y
    logits = torch.where(counted, logits, torch.finfo(kind).min)
    highest = logits.amax(2, keepdim=True)
    weights = (logits - highest).exp() * counted
    total = weights.sum(2, keepdim=True)
    shares = weights * inside / total.clamp_min(torch.finfo(kind).tiny)
    result = own * x + y @ shares.transpose(1, 2)
    return torch.where(queries[:, None], result, 0.0), (highest + total.log())[:, :, 0]
