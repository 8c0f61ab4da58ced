"""The attention that equations 6 to 8 of RANet share, without a table of all pairs of pixels.

Shapes: B batch, C channels, P pixels; a block has R query pixels and S key pixels.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .operators import operator

# R and S at most: one [R, S] table of logits exists at a time.
BLOCK = 512


class Pairing(NamedTuple):
    """The pixels that attend, and the pixels that they attend to.

    Args:
        labels: The region of each pixel, [B, P] int64.
        queries: The pixels that attend, [B, P] bool.
        keys: The pixels that they attend to, [B, P] bool.
        same: True: a query attends to keys of its own region. False: to keys of other regions.
        confined: True: the softmax is over the pixels of the sum. False: it is over all keys of the image.
    """

    labels: Tensor
    queries: Tensor
    keys: Tensor
    same: bool
    confined: bool


def set_attention(features: Tensor, sources: Tensor, scores: Tensor, pairing: Pairing) -> Tensor:
    """``J_i x_i + sum_j softmax_j(x_i . J_j y_j) J_j y_j`` for each query i, and zero for other pixels.

    The result is exact. It is computed block by block with a running softmax, and once more in the backward pass.

    Args:
        features: x, [B, C, P].
        sources: y, [B, C, P].
        scores: J, [B, P].
        pairing: The keys j of each query i. A sum over no key is zero.

    Returns:
        [B, C, P], in the wider type of features and scores.
    """
    result: Tensor = _set_attention(features, None if sources is features else sources, scores, *pairing)[0]
    return result


def _attend(
    features: Tensor,
    sources: Tensor | None,
    scores: Tensor,
    labels: Tensor,
    queries: Tensor,
    keys: Tensor,
    same: bool,
    confined: bool,
) -> tuple[Tensor, Tensor]:
    """Returns the result, and the logarithm of each query's sum of exponentials, [B, P].

    ``sources`` is None when the sources are the features. Both then share one gradient, which saves memory.
    """
    pairing = Pairing(labels, queries, keys, same, confined)
    result, normalizers = _attend_fake(features, sources, scores, *pairing)
    result, normalizers = result.zero_(), normalizers.zero_()
    # Half precision is too coarse for exponentials of sums over many channels.
    with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
        for image, rows, blocks in _blocks(pairing):
            x, own = features[image][:, rows].to(result), scores[image]
            attended, normalizer = torch.zeros_like(x), x.new_full(rows.shape, -torch.inf)
            for columns in blocks:
                y = own[columns] * (features if sources is None else sources)[image][:, columns].to(result)
                logits, inside = _logits(x, y, pairing, image, rows, columns)
                further = normalizer.logaddexp(logits.logsumexp(1))
                weights = (logits - _finite(further)[:, None]).exp() * inside
                attended = attended * (normalizer - _finite(further)).exp() + y @ weights.T
                normalizer = further
            result[image][:, rows] = own[rows] * x + attended
            normalizers[image, rows] = _finite(normalizer)
    return result, normalizers


def _attend_fake(features: Tensor, sources: Tensor | None, scores: Tensor, *pairing: Any) -> tuple[Tensor, Tensor]:
    kind = torch.promote_types(features.dtype, scores.dtype)
    return features.new_empty(features.shape, dtype=kind), scores.new_empty(scores.shape, dtype=kind)


def _attend_backward(
    grad: Tensor,
    features: Tensor,
    sources: Tensor | None,
    scores: Tensor,
    normalizers: Tensor,
    result: Tensor,
    labels: Tensor,
    queries: Tensor,
    keys: Tensor,
    same: bool,
    confined: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of features, sources and scores. That of the sources is empty if ``sources`` is None."""
    pairing = Pairing(labels, queries, keys, same, confined)
    for_features, for_scores = torch.zeros_like(result), torch.zeros_like(normalizers)
    for_sources = for_features if sources is None else torch.zeros_like(result)
    with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
        for image, rows, blocks in _blocks(pairing):
            x, up, own = features[image][:, rows].to(result), grad[image][:, rows], scores[image]
            for_x = own[rows] * up
            attended = result[image][:, rows] - own[rows] * x
            common = (up * attended).sum(0)[:, None]
            for columns in blocks:
                y = (features if sources is None else sources)[image][:, columns].to(result)
                weighted = own[columns] * y
                logits, inside = _logits(x, weighted, pairing, image, rows, columns)
                weights = (logits - normalizers[image, rows, None]).exp()
                kept = weights * inside
                for_logits = kept * (up.T @ weighted) - weights * common
                for_keys = up @ kept + x @ for_logits
                for_x += weighted @ for_logits.T
                for_sources[image].index_add_(1, columns, own[columns] * for_keys)
                for_scores[image].index_add_(0, columns, (y * for_keys).sum(0))
            for_features[image].index_add_(1, rows, for_x)
            for_scores[image].index_add_(0, rows, (x * up).sum(0))
    for_other = for_sources.new_empty(0) if sources is None else for_sources.to(sources)
    return for_features.to(features), for_other, for_scores.to(scores)


def _attend_backward_fake(
    grad: Tensor, features: Tensor, sources: Tensor | None, scores: Tensor, *others: Any
) -> tuple[Tensor, Tensor, Tensor]:
    empty = features.new_empty(0, dtype=grad.dtype) if sources is None else torch.empty_like(sources)
    return torch.empty_like(features), empty, torch.empty_like(scores)


def _save(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    features, sources, scores, *pairing = inputs
    result, normalizers = output
    ctx.save_for_backward(features, sources, scores, normalizers, result, *pairing[:3])
    ctx.kind = pairing[3:]


def _gradients(ctx: Any, grad: Tensor, for_normalizers: Tensor) -> tuple[Tensor | None, ...]:
    saved = ctx.saved_tensors  # activation checkpointing gives them once
    for_features, for_sources, for_scores = _set_attention_backward(grad, *saved, *ctx.kind)
    return for_features, None if saved[1] is None else for_sources, for_scores, *[None] * 5


_set_attention_backward = operator('set_attention_backward', _attend_backward, _attend_backward_fake)
_set_attention = operator('set_attention', _attend, _attend_fake, _save, _gradients)


def _logits(
    x: Tensor, keys: Tensor, pairing: Pairing, image: int, rows: Tensor, columns: Tensor
) -> tuple[Tensor, Tensor]:
    """The logits of a block, and the pairs that belong to the sum, [R, S] each."""
    labels = pairing.labels[image]
    inside = (labels[rows, None] == labels[columns]) == pairing.same
    logits = x.T @ keys
    if pairing.confined:
        logits.masked_fill_(~inside, -torch.inf)
    return logits, inside


def _finite(normalizer: Tensor) -> Tensor:
    """Replaces -inf, the normalizer of a query without keys. Its logits are -inf too, and -inf - -inf is no number."""
    return normalizer.masked_fill(normalizer.isneginf(), 0)


def _blocks(pairing: Pairing) -> Iterator[tuple[int, Tensor, Sequence[Tensor]]]:
    """Yields, for each image, a block of query pixels and the key pixels that they attend to, split into blocks."""
    for image, labels in enumerate(pairing.labels):
        rows = _by_label(labels, pairing.queries[image])
        columns = _by_label(labels, pairing.keys[image])
        if not len(rows):
            continue
        blocks = torch.split(rows, BLOCK)
        if not (pairing.same and pairing.confined):
            for block in blocks:
                yield image, block, torch.split(columns, BLOCK)
            continue
        # Both are sorted by region: the keys of a block of queries lie beside each other.
        grouped = labels[columns]
        lowest = labels[torch.stack([block[0] for block in blocks])]
        highest = labels[torch.stack([block[-1] for block in blocks])]
        starts = torch.searchsorted(grouped, lowest).tolist()
        stops = torch.searchsorted(grouped, highest, right=True).tolist()
        for block, start, stop in zip(blocks, starts, stops, strict=True):
            yield image, block, torch.split(columns[start:stop], BLOCK)


def _by_label(labels: Tensor, chosen: Tensor) -> Tensor:
    """The indices of the chosen pixels, sorted by label."""
    pixels = chosen.nonzero()[:, 0]
    return pixels[labels[pixels].argsort(stable=True)]
