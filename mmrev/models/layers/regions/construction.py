"""RANet's region construction block (Shen et al., NeurIPS 2020, section 3.1 and equation 5), without P x P tables.

Shapes: B batch, N classes, H x W the feature map, P = H * W its pixels in raster order.
"""

import warnings
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple, Protocol, cast

import torch
from torch import Tensor

from . import kernels_torch
from .operators import operator
from .options import ConstructionOptions
from .similarity import SIMILARITIES


class Regions(NamedTuple):
    """The object regions of a batch of images.

    Args:
        labels: The root pixel of each pixel's region, [B, P] int64. The root has the lowest index in its region.
        scores: J of equation 5, [B, P] in (0, 1], differentiable.
        representatives: The K pixels of each region with the highest scores, [B, P] bool.

    Example:
        >>> regions = Regions(torch.tensor([[0, 0, 2]]), torch.ones(1, 3), torch.tensor([[True, False, True]]))
        >>> len(regions.labels.unique())
        2
    """

    labels: Tensor
    scores: Tensor
    representatives: Tensor


class Kernels(Protocol):
    """A backend: three passes over all pairs of pixels. ``kernels_torch`` says what each returns."""

    def first_partners(
        self, boundary: Tensor, probabilities: Tensor, threshold: float, similarity: str, end_points: bool
    ) -> Tensor: ...

    def sums_inside(
        self, boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: str, end_points: bool
    ) -> Tensor: ...

    def sums_inside_backward(
        self, boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: str, end_points: bool, grad: Tensor
    ) -> tuple[Tensor, Tensor]: ...


def region_construction(
    boundary: Tensor,
    probabilities: Tensor,
    threshold: float = 0.8,
    num_representatives: int = 8,
    similarity: str = 'jsd',
    end_points: bool = False,
    temperature: float = 1.0,
) -> Regions:
    """Equations 1 to 5: divides images into object regions, and scores how well each pixel represents its region.

    The result is exact. Triton computes it on CUDA and Numba on a CPU, pair by pair. Without them, torch computes it in
    tiles of rows. The backward pass computes the pairs once more.

    Args:
        boundary: Boundary scores in [0, 1].
        probabilities: Class probabilities. They sum to 1 over the classes.
        threshold: As in ``ConstructionOptions``.
        num_representatives: As in ``ConstructionOptions``.
        similarity: As in ``ConstructionOptions``.
        end_points: As in ``ConstructionOptions``.
        temperature: As in ``ConstructionOptions``.

    Shape:
        boundary [B, H, W], probabilities [B, N, H, W] -> labels, scores and representatives [B, P] each.

    Raises:
        ConfigError: An option is wrong.
        ValueError: The maps differ in batch or size.

    Reading: The sign in equation 4 needs a threshold. The authors' code has 0.8. J uses F without the threshold and
    without the temperature.
    "Belong together" is not transitive. As in the authors' code, each pixel follows the first pixel in raster order
    that it belongs together with, up to a root. Scores that are equal up to rounding tie. Ties go to the lower index.

    Example:
        >>> regions = region_construction(torch.zeros(1, 2, 3), torch.full((1, 4, 2, 3), 0.25), num_representatives=2)
        >>> regions.labels  # equal pixels without boundaries: one region
        tensor([[0, 0, 0, 0, 0, 0]])
        >>> regions.representatives.sum().item()
        2
    """
    options = ConstructionOptions(threshold, num_representatives, similarity, end_points, temperature)
    return construct(boundary, probabilities, options)


def construct(boundary: Tensor, probabilities: Tensor, options: ConstructionOptions) -> Regions:
    """``region_construction`` with options that are checked already."""
    if boundary.shape != (probabilities.shape[0], *probabilities.shape[2:]):
        raise ValueError(
            f'boundary scores {list(boundary.shape)} and probabilities {list(probabilities.shape)} differ '
            'in batch or size: expected [B, H, W] and [B, N, H, W]'
        )
    # Half precision cannot hold the logarithm of a small probability.
    kind = torch.promote_types(torch.promote_types(boundary.dtype, probabilities.dtype), torch.float32)
    scores, labels, representatives = _region_construction(
        boundary.to(kind),
        probabilities.to(kind),
        float(options.threshold),
        options.num_representatives,
        options.similarity,
        options.end_points,
        float(options.temperature),
    )
    return Regions(labels, scores, representatives)


def sharpened(probabilities: Tensor, temperature: float) -> Tensor:
    """The softmax of the class scores divided by the temperature, [B, N, H, W], from the softmax of the scores.

    Example:
        >>> sharpened(torch.tensor([0.5, 0.25, 0.25]).view(1, 3, 1, 1), 0.5).flatten()
        tensor([0.6667, 0.1667, 0.1667])
    """
    if temperature == 1:
        return probabilities
    smallest = torch.finfo(probabilities.dtype).tiny
    return (probabilities.clamp_min(smallest).log() / temperature).softmax(1)


def kernels_for(device: torch.device, similarity: str) -> Kernels:
    """Returns the compiled kernels for a device, or the tiles in plain torch.

    A similarity that the compiled kernels do not know runs in tiles, with a warning.
    """
    kernels = compiled(device)
    if kernels is not None and SIMILARITIES[similarity].code not in kernels.KNOWN_CODES:
        warnings.warn(
            f'similarity {similarity!r} has no compiled kernel for {device.type}: '
            'region_construction runs in plain torch, some hundred times slower',
            stacklevel=2,
        )
        kernels = None
    return cast(Kernels, kernels or kernels_torch)


@cache
def compiled(device: torch.device) -> ModuleType | None:
    """Returns the kernels for a device: Triton's on CUDA, Numba's on a CPU. None: there are none."""
    compiler = {'cuda': 'triton', 'cpu': 'numba'}.get(device.type)
    try:
        if compiler is None:
            raise ImportError(f'there are none for {device.type}')
        return import_module(f'.kernels_{compiler}', __package__)
    except ImportError as error:
        warnings.warn(
            f'region_construction runs without compiled kernels, some hundred times slower: {error}', stacklevel=2
        )
        return None


def roots(partners: Tensor) -> Tensor:
    """Follows partners of partners to the end: [B, P] -> [B, P]. A partner never comes later in raster order."""
    further = partners.gather(1, partners)
    while not torch.equal(further, partners):
        partners, further = further, further.gather(1, further)
    return partners


def best_of_each(scores: Tensor, labels: Tensor, count: int) -> Tensor:
    """Marks the ``count`` pixels with the highest scores in each region, [B, P] bool.

    Scores tie when they are equal to 9 decimals in double precision, to 6 in single. Ties go to the lower index.
    """
    rounded = scores.round(decimals=9 if scores.dtype == torch.float64 else 6)
    order = rounded.argsort(dim=1, descending=True, stable=True)
    order = order.gather(1, labels.gather(1, order).argsort(dim=1, stable=True))
    grouped = labels.gather(1, order)
    position = torch.arange(grouped.shape[1], device=labels.device).expand_as(grouped)
    starts = torch.ones_like(grouped, dtype=torch.bool)
    starts[:, 1:] = grouped[:, 1:] != grouped[:, :-1]
    rank = position - torch.where(starts, position, 0).cummax(dim=1).values
    return torch.zeros_like(starts).scatter(1, order, rank < count)


def sizes(labels: Tensor) -> Tensor:
    """The number of pixels in each pixel's region, [B, P]."""
    counts = torch.zeros_like(labels).scatter_add(1, labels, torch.ones_like(labels))
    return counts.gather(1, labels)


def _construct(
    boundary: Tensor,
    probabilities: Tensor,
    threshold: float,
    num_representatives: int,
    similarity: str,
    end_points: bool,
    temperature: float,
) -> tuple[Tensor, Tensor, Tensor]:
    kernels = kernels_for(boundary.device, similarity)
    with torch.no_grad():
        decisive = sharpened(probabilities, temperature)
        labels = roots(kernels.first_partners(boundary, decisive, threshold, similarity, end_points))
        # equation 5: J, the mean of F_ij over the region of i, with F_ii = 1
        scores = kernels.sums_inside(boundary, probabilities, labels, similarity, end_points) / sizes(labels)
        return scores, labels, best_of_each(scores, labels, num_representatives)


def _construct_fake(boundary: Tensor, *others: Any) -> tuple[Tensor, Tensor, Tensor]:
    flat = boundary.flatten(1)
    return torch.empty_like(flat), torch.empty_like(flat, dtype=torch.long), torch.empty_like(flat, dtype=torch.bool)


def _scores_backward(
    boundary: Tensor, probabilities: Tensor, labels: Tensor, similarity: str, end_points: bool, grad: Tensor
) -> tuple[Tensor, Tensor]:
    kernels = kernels_for(boundary.device, similarity)
    with torch.no_grad():
        share = grad / sizes(labels)
        return kernels.sums_inside_backward(boundary, probabilities, labels, similarity, end_points, share)


def _scores_backward_fake(boundary: Tensor, probabilities: Tensor, *others: Any) -> tuple[Tensor, Tensor]:
    return torch.empty_like(boundary), torch.empty_like(probabilities)


def _save(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    boundary, probabilities, _, _, similarity, end_points, _ = inputs
    ctx.save_for_backward(boundary, probabilities, output[1])
    ctx.rule = similarity, end_points


def _gradients(ctx: Any, grad: Tensor, *others: None) -> tuple[Tensor | None, ...]:
    return *_region_scores_backward(*ctx.saved_tensors, *ctx.rule, grad), *[None] * 5


_region_scores_backward = operator('region_scores_backward', _scores_backward, _scores_backward_fake)
_region_construction = operator('region_construction', _construct, _construct_fake, _save, _gradients)
