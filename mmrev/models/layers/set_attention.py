"""Attention between rows that share a label, or do not, without a table of all pairs.

Shapes: R queries, S keys, C channels.
"""
from collections.abc import Iterator

import torch
from torch import Tensor

# numbers in the table of logits of a block of queries
BLOCK_BUDGET = 2 ** 19


def set_attention(queries: Tensor, keys: Tensor, query_labels: Tensor, key_labels: Tensor, same: bool,
                  confined: bool = True) -> Tensor:
    """``sum_s softmax_s(q . k_s) k_s`` over the keys of a query's own label, or over all keys of other labels.

    Keys are their own values, as in RANet's equations 6 to 8. Exact; blocks of queries are computed one after the
    other, and once more in the backward pass.

    Args:
        queries: [R, C].
        keys: [S, C].
        query_labels: [R] int64.
        key_labels: [S] int64.
        same: Over the keys of the same label; of other labels otherwise.
        confined: Whether the softmax runs over the keys of the sum, or over all keys.

    Returns:
        [R, C]; zero for a query without keys.
    """
    if not len(keys) or not len(queries):
        return queries * 0
    with torch.autocast(queries.device.type, enabled=False):  # exponentials of sums over many channels
        return _SetAttention.apply(queries, keys, query_labels, key_labels, same, confined)


class _SetAttention(torch.autograd.Function):
    """Keeps its arguments and a number a query."""

    @staticmethod
    def forward(ctx, queries: Tensor, keys: Tensor, query_labels: Tensor, key_labels: Tensor, same: bool,
                confined: bool) -> Tensor:
        # sorted by label, the keys of a block of queries are neighbours
        orders = query_labels.argsort(stable=True), key_labels.argsort(stable=True)
        ctx.sets = (query_labels[orders[0]], key_labels[orders[1]], same, confined)
        found, normalizers = torch.zeros_like(queries), queries.new_zeros(len(queries))
        keys_sorted = keys[orders[1]]
        for rows, columns in _blocks(*ctx.sets):
            at = orders[0][rows]
            logits, inside = _logits(queries[at], keys_sorted[columns], *ctx.sets, rows, columns)
            # of a query without keys all are -inf
            normalizers[rows] = logits.logsumexp(1).nan_to_num(neginf=0)
            weights = (logits - normalizers[rows, None]).exp()
            found[at] = (weights if confined else weights * inside) @ keys_sorted[columns]
        ctx.save_for_backward(queries, keys, normalizers, *orders)
        return found

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        queries, keys, normalizers, query_order, key_order = ctx.saved_tensors
        keys_sorted, for_queries, for_keys = keys[key_order], torch.zeros_like(queries), torch.zeros_like(keys)
        for rows, columns in _blocks(*ctx.sets):
            at = query_order[rows]
            own, up, these = queries[at], grad[at], keys_sorted[columns]
            logits, inside = _logits(own, these, *ctx.sets, rows, columns)
            weights = (logits - normalizers[rows, None]).exp()
            kept = weights * inside
            for_keys[columns] += kept.T @ up
            change = kept * (up @ these.T)
            change -= weights * change.sum(1, keepdim=True)
            for_queries[at] = change @ these
            for_keys[columns] += change.T @ own
        return for_queries, torch.zeros_like(keys).index_copy(0, key_order, for_keys), None, None, None, None


def _logits(queries: Tensor, keys: Tensor, query_labels: Tensor, key_labels: Tensor, same: bool, confined: bool,
            rows: slice, columns: slice) -> tuple[Tensor, Tensor]:
    """Of a block: what enters its softmax, and which pairs are in the sum."""
    equal = query_labels[rows, None] == key_labels[columns]
    inside = equal if same else ~equal
    logits = queries @ keys.T
    return logits.masked_fill(~inside, -torch.inf) if confined else logits, inside


def _blocks(query_labels: Tensor, key_labels: Tensor, same: bool, confined: bool) -> Iterator[tuple[slice, slice]]:
    """Some queries, and the keys that concern them."""
    rows = max(1, BLOCK_BUDGET // len(key_labels))
    starts = range(0, len(query_labels), rows)
    if not (same and confined):
        yield from ((slice(start, start + rows), slice(None)) for start in starts)
        return
    firsts = torch.searchsorted(key_labels, query_labels[::rows].contiguous())
    lasts = torch.searchsorted(key_labels, query_labels[[min(start + rows, len(query_labels)) - 1 for start in starts]],
                               right=True)
    for start, first, last in zip(starts, firsts.tolist(), lasts.tolist(), strict=True):
        if last > first:
            yield slice(start, start + rows), slice(first, last)
