"""Attention between rows that share a label, or do not, without a table of all pairs.

Shapes: R queries, S keys, C channels.
"""
from collections.abc import Iterator

import torch
from torch import Tensor

# numbers in the table of logits of a block of queries
BLOCK_BUDGET = 2 ** 21


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
    # sorted by label, the keys of a block of queries are neighbours
    query_order, key_order = query_labels.argsort(stable=True), key_labels.argsort(stable=True)
    with torch.autocast(queries.device.type, enabled=False):  # exponentials of sums over many channels
        found = _SetAttention.apply(queries[query_order], keys[key_order], query_labels[query_order],
                                    key_labels[key_order], same, confined)
    return found[query_order.argsort()]


class _SetAttention(torch.autograd.Function):

    @staticmethod
    def forward(ctx, queries: Tensor, keys: Tensor, query_labels: Tensor, key_labels: Tensor, same: bool,
                confined: bool) -> Tensor:
        ctx.sets = (query_labels, key_labels, same, confined)
        found, normalizers = torch.zeros_like(queries), queries.new_empty(len(queries))
        for rows, columns in _blocks(*ctx.sets):
            logits, inside = queries[rows] @ keys[columns].T, _inside(*ctx.sets[:3], rows, columns)
            if confined:
                logits = logits.masked_fill(~inside, -torch.inf)
            normalizers[rows] = logits.logsumexp(1)
            weights = _weights(logits, normalizers[rows])
            found[rows] = (weights if confined else weights * inside) @ keys[columns]
        ctx.save_for_backward(queries, keys, normalizers, found)
        return found

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        queries, keys, normalizers, found = ctx.saved_tensors
        for_queries, for_keys = torch.zeros_like(queries), torch.zeros_like(keys)
        for rows, columns in _blocks(*ctx.sets):
            inside = _inside(*ctx.sets[:3], rows, columns)
            logits = queries[rows] @ keys[columns].T
            if ctx.sets[3]:
                logits = logits.masked_fill(~inside, -torch.inf)
            weights = _weights(logits, normalizers[rows])
            kept = weights * inside
            for_keys[columns] += kept.T @ grad[rows]
            slope = kept * (grad[rows] @ keys[columns].T) - weights * (grad[rows] * found[rows]).sum(1, keepdim=True)
            for_queries[rows] = slope @ keys[columns]
            for_keys[columns] += slope.T @ queries[rows]
        return for_queries, for_keys, None, None, None, None


def _weights(logits: Tensor, normalizers: Tensor) -> Tensor:
    # a query without keys: all logits and their normalizer are -inf
    return (logits - normalizers[:, None].nan_to_num(neginf=0)).exp()


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


def _inside(query_labels: Tensor, key_labels: Tensor, same: bool, rows: slice, columns: slice) -> Tensor:
    equal = query_labels[rows, None] == key_labels[columns]
    return equal if same else ~equal
