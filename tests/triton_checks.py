"""Checks of the Triton kernels in Triton's interpreter, for ``test_triton_work.py``: each returns how much it compared.

The interpreter must be on before Triton is imported, so this module runs in a process of its own. It prints a JSON
table from the name of a check to its count, or to its traceback.

Shapes: B batch, P the pixels of an image.
"""

import json
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations, product
from unittest.mock import patch

import numpy as np
import region_maps
import torch
from torch import Tensor
from triton.runtime import interpreter

from mmrev.models.layers import region_construction
from mmrev.models.layers.regions import construction, kernels_numba, kernels_triton
from mmrev.models.layers.regions.construction import roots

RULES = ('jsd', False), ('jsd', True), ('binary_jsd', False), ('binary_jsd', True)
# rows and columns of a block, and blocks of a program
BLOCKS = (4, 4, 2), (4, 8, 1), (16, 64, 8)
Pairs = list[list[tuple[int, int]]]


@contextmanager
def blocks(rows: int, columns: int, span: int) -> Iterator[None]:
    with patch.multiple(kernels_triton, ROWS=rows, COLUMNS=columns, SPAN=span):
        yield


@contextmanager
def watched() -> Iterator[Pairs]:
    """Gathers the wanted pairs of each block whose lines are walked."""
    seen: Pairs = []
    walk = kernels_triton.line_maximum

    def watch(flat, i, j, wanted, *others):
        parts = np.broadcast_arrays(*(part.handle.data for part in (i, j, wanted)))
        seen.append([(int(a), int(b)) for a, b, chosen in zip(*map(np.ravel, parts), strict=True) if chosen])
        return walk(flat, i, j, wanted, *others)

    with patch.object(kernels_triton, 'line_maximum', watch):
        yield seen


@contextmanager
def programs_backwards() -> Iterator[None]:
    """The last program of a grid runs first."""
    builder = interpreter.interpreter_builder
    start = builder.set_grid_idx

    def backwards(*place):
        start(*(size - 1 - index for size, index in zip(builder.grid_dim, place, strict=True)))

    with patch.object(builder, 'set_grid_idx', backwards):
        yield


def some_regions(pixels: int, count: int) -> Tensor:
    """[1, P]: pixels of one region lie far apart. There is one region, ``count`` of them, or one for each pixel."""
    groups = torch.randperm(pixels) % min(count, pixels)
    return torch.stack([(groups == group).nonzero()[0, 0] for group in groups])[None]


def blocks_needed(labels: Tensor, rows: int, columns: int) -> int:
    """The blocks from the rows to the end of the last region that has a pixel after one of them."""
    grouped = sorted(labels.flatten().tolist())
    ends = [len(grouped) - grouped[::-1].index(label) for label in grouped]
    total = 0
    for first in range(0, len(ends), rows):
        last = max((end for a, end in enumerate(ends[first : first + rows], first) if end > a + 1), default=0)
        total += max(-((first - last) // columns), 0)
    return total


def each_two_pixels_of_a_region_meet_once() -> int:
    compared = 0
    for size, sizes, count in product([(5, 5), (1, 9), (1, 1)], BLOCKS, (1, 3, 99)):
        (boundary, probabilities), pixels = region_maps.make('random', size), size[0] * size[1]
        boundary, probabilities, labels = boundary[:1], probabilities[:1], some_regions(pixels, count)
        regions = labels.flatten().tolist()
        expected = {pair: 1 for pair in combinations(range(pixels), 2) if regions[pair[0]] == regions[pair[1]]}
        for backward in (False, True):
            arguments = boundary, probabilities, labels, 'jsd', False
            with blocks(*sizes), watched() as seen:
                if backward:
                    kernels_triton.sums_inside_backward(*arguments, torch.ones(1, pixels, dtype=torch.float64))
                else:
                    kernels_triton.sums_inside(*arguments)
            met = Counter(tuple(sorted(pair)) for block in seen for pair in block)
            assert met == expected, (size, sizes, count, backward)
            assert len(seen) == blocks_needed(labels, *sizes[:2]), (size, sizes, count, backward)
            compared += 1
    return compared


def one_region_takes_half_of_the_square() -> list[tuple[int, int]]:
    """The blocks of a whole square of pairs, and those that are walked."""
    found = []
    for size in [(4, 5), (5, 5), (1, 9)]:
        boundary, probabilities = (part[:1] for part in region_maps.make('constant', size))
        side = -(-size[0] * size[1] // 4)
        with blocks(4, 4, 2), watched() as seen:
            kernels_triton.sums_inside(boundary, probabilities, some_regions(size[0] * size[1], 1), 'jsd', False)
        found.append((side * side, len(seen)))
    return found


def rows_with_their_partner_leave() -> dict[str, list[int]]:
    """For each map of 36 pixels and blocks of 4 x 4: the blocks that are walked, and the pairs in them."""
    still, walls = torch.zeros(1, 6, 6), torch.full((1, 6, 6), 0.95)
    same, classes = torch.full((1, 3, 6, 6), 1 / 3), torch.eye(3)[torch.arange(36) % 3].T.reshape(1, 3, 6, 6)
    alone = torch.eye(36).view(1, 36, 6, 6)
    cases = dict(equal=(still, same), three_classes=(still, classes), walls=(walls, same), all_different=(still, alone))
    found = {}
    for name, maps in cases.items():
        with blocks(4, 4, 2), watched() as seen:
            partners = kernels_triton.first_partners(*maps, 0.8, 'jsd', False)
        assert torch.equal(partners, kernels_numba.first_partners(*maps, 0.8, 'jsd', False)), name
        pairs = [pair for block in seen for pair in block]
        assert all(j < i for i, j in pairs), name
        found[name] = [len(seen), len(pairs)]
    return found


def the_order_of_the_programs_changes_no_bit() -> int:
    compared = 0
    for similarity, ends in RULES[1:3]:
        boundary, probabilities = (part.float() for part in region_maps.make('random', (4, 5)))
        labels = roots(kernels_numba.first_partners(boundary, probabilities, 0.7, similarity, ends))
        maps, grad = (boundary, probabilities, labels, similarity, ends), torch.randn(2, 20)
        with blocks(4, 8, 1):
            forwards = kernels_triton.sums_inside(*maps), *kernels_triton.sums_inside_backward(*maps, grad)
            with programs_backwards():
                backwards = kernels_triton.sums_inside(*maps), *kernels_triton.sums_inside_backward(*maps, grad)
        assert all(map(torch.equal, forwards, backwards)), (similarity, ends)
        compared += 1
    return compared


def images_of_a_batch_do_not_mix() -> int:
    """Each pixel of one image is a region, and the other image has four interleaved regions. Blocks as on a GPU."""
    compared = 0
    for kind, size, (similarity, ends) in product((torch.float32, torch.float64), [(3, 4), (6, 13)], RULES):
        y, x = torch.arange(size[0])[:, None] % 2, torch.arange(size[1]) % 2
        four = torch.nn.functional.one_hot(2 * y + x, 4).permute(2, 0, 1)
        boundary = torch.stack([torch.full(size, 0.95), torch.full(size, 0.1)]).to(kind)
        maps = boundary, four.expand(2, -1, -1, -1).to(kind)
        exact = dict(rtol=1e-9, atol=1e-12) if kind == torch.float64 else dict(rtol=1e-4, atol=1e-4)
        ours, theirs = (
            outcome(kernels, *maps, similarity=similarity, end_points=ends)
            for kernels in (kernels_triton, kernels_numba)
        )
        assert [len(labels.unique()) for labels in ours[0]] == [size[0] * size[1], 4]
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, **exact)
        compared += 1
    return compared


def half_precision_is_computed_in_single() -> int:
    compared = 0
    for kind, (similarity, ends) in product((torch.float16, torch.bfloat16), RULES):
        maps = [part.to(kind) for part in region_maps.make('random', (4, 5))]
        settings = dict(similarity=similarity, end_points=ends, threshold=0.7)
        ours, theirs = (outcome(kernels, *maps, **settings) for kernels in (kernels_triton, kernels_numba))
        assert ours[1].dtype == torch.float32 and ours[2].dtype == kind
        torch.testing.assert_close(ours[0], theirs[0])
        for a, b in zip(ours[1:], theirs[1:], strict=True):
            torch.testing.assert_close(a.float(), b.float(), rtol=2e-2, atol=2e-2)
        compared += 1
    return compared


def outcome(kernels, boundary: Tensor, probabilities: Tensor, **settings) -> list[Tensor]:
    """The labels, the scores, and the gradients for both maps."""
    given = [part.clone().requires_grad_() for part in (boundary, probabilities)]
    with patch.object(construction, 'compiled', lambda device: kernels):
        regions = region_construction(*given, **settings)
        (regions.scores * torch.linspace(-1, 1, regions.scores.shape[1])).sum().backward()
    return [regions.labels, regions.scores.detach(), *(part.grad for part in given)]


def gradients_of_any_size() -> int:
    """A power of 2 changes no digit. A gradient that is not finite makes its image's gradients NaN, and no other's."""
    boundary, probabilities = (part.float() for part in region_maps.make('random', (4, 5)))
    maps, grad = (boundary, probabilities, torch.zeros(2, 20, dtype=torch.long), 'jsd', True), torch.randn(2, 20)
    found = kernels_triton.sums_inside_backward(*maps, grad)
    powers = (-50, 20, 80)
    for power in powers:
        scaled = kernels_triton.sums_inside_backward(*maps, grad * 2.0**power)
        assert all(torch.equal(a * 2.0**power, b) for a, b in zip(found, scaled, strict=True)), power
    for part in kernels_triton.sums_inside_backward(*maps, torch.zeros(2, 20)):
        assert not part.any()
    for wrong in (float('inf'), float('nan')):
        spoilt = grad.clone()
        spoilt[0, 3] = wrong
        for a, b in zip(kernels_triton.sums_inside_backward(*maps, spoilt), found, strict=True):
            assert a[0].isnan().all() and torch.equal(a[1], b[1])
    return len(powers)


CHECKS = (
    each_two_pixels_of_a_region_meet_once,
    one_region_takes_half_of_the_square,
    rows_with_their_partner_leave,
    the_order_of_the_programs_changes_no_bit,
    images_of_a_batch_do_not_mix,
    half_precision_is_computed_in_single,
    gradients_of_any_size,
)


def main() -> None:
    results = {}
    for check in CHECKS:
        torch.manual_seed(0)
        try:
            results[check.__name__] = check()
        except Exception:
            results[check.__name__] = traceback.format_exc()
    print('RESULTS', json.dumps(results))


if __name__ == '__main__':
    main()
