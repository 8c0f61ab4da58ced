"""What equations 6 to 8 of RANet share: pixels of one set that look at those of another, without a table of all pairs.

Shapes: B batch, C channels, P pixels; in a block R pixels look at S others.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

# rows and columns of the table of logits that is held at a time
BLOCK = 512


class Pairing(NamedTuple):
    """Who looks at whom."""

    labels: Tensor  # [B, P] int64
    queries: Tensor  # [B, P] bool: the pixels that look
    keys: Tensor  # [B, P] bool: the pixels looked at
    same: bool  # only at pixels of the same label, or only at those of others
    confined: bool  # whether the softmax runs over the pixels of the sum, or over all keys


@torch.compiler.disable
def set_attention(features: Tensor, sources: Tensor, scores: Tensor, pairing: Pairing) -> Tensor:
    """``J_i x_i + sum_j softmax_j(x_i . J_j y_j) J_j y_j`` at each pixel i that looks, zero at others.

    Exact; in blocks with a running softmax, computed once more in the backward pass.

    Args:
        features: x, [B, C, P].
        sources: y, [B, C, P].
        scores: J, [B, P].
        pairing: Over which pixels j the sum of a pixel i runs; over none it is zero.

    Returns:
        [B, C, P], in the wider type of features and scores.
    """
    if features.is_meta:  # shapes without numbers
        return features.clone()
    return _SetAttention.apply(features, None if sources is features else sources, scores, pairing)


class _SetAttention(torch.autograd.Function):
    """Keeps its arguments, its result and a number a pixel. ``sources`` are None where they are the features."""

    @staticmethod
    def forward(ctx, features: Tensor, sources: Tensor | None, scores: Tensor, pairing: Pairing) -> Tensor:
        found = features.new_zeros(features.shape, dtype=torch.promote_types(features.dtype, scores.dtype))
        normalizers = found.new_zeros(scores.shape)
        with torch.autocast(features.device.type, enabled=False):  # exponentials of sums over many channels
            for image, rows, blocks in _blocks(pairing):
                x, own = features[image][:, rows].to(found), scores[image]
                attended, normalizer = torch.zeros_like(x), x.new_full(rows.shape, -torch.inf)
                for columns in blocks:
                    keys = own[columns] * (features if sources is None else sources)[image][:, columns].to(found)
                    logits, inside = _logits(x, keys, pairing, image, rows, columns)
                    further = normalizer.logaddexp(logits.logsumexp(1))
                    weights = (logits - _finite(further)[:, None]).exp() * inside
                    attended = attended * (normalizer - _finite(further)).exp() + keys @ weights.T
                    normalizer = further
                found[image][:, rows] = own[rows] * x + attended
                normalizers[image, rows] = _finite(normalizer)
        ctx.save_for_backward(features, sources, scores, normalizers, found)
        ctx.pairing = pairing
        return found

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        features, sources, scores, normalizers, found = ctx.saved_tensors
        for_features, for_scores = torch.zeros_like(found), torch.zeros_like(normalizers)
        for_sources = for_features if sources is None else torch.zeros_like(found)
        with torch.autocast(features.device.type, enabled=False):
            for image, rows, blocks in _blocks(ctx.pairing):
                x, up, own = features[image][:, rows].to(found), grad[image][:, rows], scores[image]
                for_x = own[rows] * up
                attended = found[image][:, rows] - own[rows] * x
                common = (up * attended).sum(0)[:, None]
                for columns in blocks:
                    y = (features if sources is None else sources)[image][:, columns].to(found)
                    keys = own[columns] * y
                    logits, inside = _logits(x, keys, ctx.pairing, image, rows, columns)
                    weights = (logits - normalizers[image, rows, None]).exp()
                    kept = weights * inside
                    for_logits = kept * (up.T @ keys) - weights * common
                    for_keys = up @ kept + x @ for_logits
                    for_x += keys @ for_logits.T
                    for_sources[image].index_add_(1, columns, own[columns] * for_keys)
                    for_scores[image].index_add_(0, columns, (y * for_keys).sum(0))
                for_features[image].index_add_(1, rows, for_x)
                for_scores[image].index_add_(0, rows, (x * up).sum(0))
        return (
            for_features.to(features),
            None if sources is None else for_sources.to(sources),
            for_scores.to(scores),
            None,
        )


def _logits(
    x: Tensor, keys: Tensor, pairing: Pairing, image: int, rows: Tensor, columns: Tensor
) -> tuple[Tensor, Tensor]:
    """Of a block, [R, S]: what enters the softmax, and which pairs are in the sum."""
    labels = pairing.labels[image]
    inside = (labels[rows, None] == labels[columns]) == pairing.same
    logits = x.T @ keys
    return logits.masked_fill_(~inside, -torch.inf) if pairing.confined else logits, inside


def _finite(normalizer: Tensor) -> Tensor:
    """Of pixels that look at none all logits are -inf; minus any number they still are."""
    return normalizer.masked_fill(normalizer.isneginf(), 0)


def _blocks(pairing: Pairing) -> Iterator[tuple[int, Tensor, Sequence[Tensor]]]:
    """Of an image some pixels that look, and in parts those that concern them."""
    for image, (labels, queries, keys) in enumerate(zip(*pairing[:3], strict=True)):
        rows, columns = _by_label(labels, queries), _by_label(labels, keys)
        if not len(rows):
            continue
        blocks = rows.split(BLOCK)
        if not (pairing.same and pairing.confined):
            yield from ((image, block, columns.split(BLOCK)) for block in blocks)
            continue
        grouped = labels[columns]
        firsts = torch.searchsorted(grouped, labels[torch.stack([block[0] for block in blocks])])
        lasts = torch.searchsorted(grouped, labels[torch.stack([block[-1] for block in blocks])], right=True)
        for block, first, last in zip(blocks, firsts.tolist(), lasts.tolist(), strict=True):
            yield image, block, columns[first:last].split(BLOCK)


def _by_label(labels: Tensor, chosen: Tensor) -> Tensor:
    """The chosen pixels, those of a label beside each other."""
    pixels = chosen.nonzero()[:, 0]
    return pixels[labels[pixels].argsort(stable=True)]
