"""What RANet's head adds beside those of its rivals: table 3 of the paper measured anew, and its regions alone.

    python benchmarks/ranet.py                          # this machine's GPU, or its CPU
    python benchmarks/ranet.py --device cpu --rounds 1 --size 65 --sizes 33 65

First table: heads on a map of 512 channels (``--size``) and 19 classes, in turns within a round, beside the paper's
figures. The dense RANet holds the P x P tables of equations 1 to 4 and its attentions for autograd. RANet's score maps
are ready-made, so that its regions are known:

trained      blobs of classes, and boundaries in between
every pixel  is its own region (Q = P), as an untrained network can have it
one region   the growth table only: all pairs are of one region, so that no line and no sum ends early
untrained    the growth table only: scores near zero. One region too, and no pixel finds its partner early

GMAC         multiply-adds of convolutions and matrix products in inference, as the paper counts: parameters x pixels
             already make most of its "FLOPS"
pairs (G)    reads and logarithms of region construction, by formula: P^2 / 2 pairs read 2 numbers at each of 7 / 15
             side points of a line, and take N logarithms
peaks        as in ``common.peak_memory``, and above them what the kernels of a CPU hold themselves; training includes
             the gradients of the parameters; "regions" is that of training without the convolutions
floor        the time of those reads and logarithms at the pace of torch's sum and log2 of neighbouring numbers

Second table: region construction alone, forward (``--sizes``, ``--classes``).
"""

import argparse
import os
import statistics
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from itertools import product
from unittest.mock import patch

import torch
from common import MEBIBYTE, Run, autocast, clock, describe, inference, measure, options, peak_memory, training_step
from mmengine.registry import MODELS, init_default_scope
from prettytable import PrettyTable
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from mmrev.models.decode_heads.region_attention_head import RegionAttentionHead
from mmrev.models.layers.regions.attention import Pairing
from mmrev.models.layers.regions.construction import Regions, best_of_each, region_construction, roots
from mmrev.models.layers.regions.equations import pairwise_boundary, pairwise_similarity

WIDTH, CLASSES = 512, 19
# GFLOPS, parameters (M), memory (MB) in the paper
PAPER = {
    'RANet, trained': (212, 21, 1893),
    'RANet, every pixel': (212, 21, 1893),
    'RANet, dense': (212, 21, 1893),
    'ANN': (163, 13, 634),
    'CCNet': (198, 18, 730),
    'DANet': (264, 23, 2611),
    'PSANet': (372, 50, 3124),
}
# as in mmseg's configs
RIVALS = {
    'ANN': dict(
        type='ANNHead',
        in_channels=[WIDTH] * 2,
        in_index=[0, 1],
        project_channels=256,
        query_scales=(1,),
        key_pool_scales=(1, 3, 6, 8),
    ),
    'CCNet': dict(type='CCHead', recurrence=2),
    'DANet': dict(type='DAHead', pam_channels=64),
    'PSANet': dict(type='PSAHead', compact=False, shrink_factor=2),
}
COLUMNS = [
    'head',
    'GMAC',
    'pairs (G)',
    'paper (G)',
    'parameters (M)',
    'paper (M)',
    'training peak (MiB)',
    'paper (MB)',
    'regions (MiB)',
    'inference peak (MiB)',
    'training step (ms)',
    'inference (ms)',
]
GROWTH_COLUMNS = [
    'size',
    'classes',
    'case',
    'regions',
    'ms',
    'peak (MiB)',
    'reads (G)',
    'logs (G)',
    'floor (ms)',
    'to floor',
]
# of a dense training step, a pair of pixels: some 70 tables, measured with 19 classes at 33 x 33
DENSE_BYTES = 300
INTERACTION = import_module('mmrev.models.layers.regions.interaction')

Maps = tuple[Tensor, Tensor]  # boundary [B, 1, H, W] and semantic [B, N, H, W] scores


class GivenRegionsHead(RegionAttentionHead):
    """Computes its score maps, but sees ready-made ones."""

    def __init__(self, given: Maps, **kwargs) -> None:
        super().__init__(**kwargs)
        self.given = given

    def _maps(self, inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        visual, *scores = super()._maps(inputs)
        return visual, *(given + 0 * own for given, own in zip(self.given, scores, strict=True))

    def region_parts(self, visual: Tensor) -> Tensor:
        """All but the convolutions."""
        regions = self._regions(*(given.detach().requires_grad_() for given in self.given))
        return INTERACTION.region_interaction(visual.flatten(2), regions)


def dense_construction(boundary: Tensor, probabilities: Tensor, threshold: float = 0.8, count: int = 8) -> Regions:
    """Equations 1 to 5 as they are printed."""
    attention = (1 - pairwise_boundary(boundary)) * (1 - pairwise_similarity(probabilities))
    pixels = torch.arange(attention.shape[1], device=attention.device)
    labels = roots(torch.where(attention > threshold, pixels, len(pixels)).amin(2))
    inside = labels[:, :, None] == labels[:, None]
    scores = (attention * inside).sum(2) / inside.sum(2)
    return Regions(labels, scores, best_of_each(scores.detach(), labels, count))


def dense_attention(features: Tensor, sources: Tensor, scores: Tensor, pairing: Pairing) -> Tensor:
    """``set_attention`` with all its tables, confined."""
    keys = scores[:, None] * sources
    inside = (
        ((pairing.labels[:, :, None] == pairing.labels[:, None]) == pairing.same)
        & pairing.queries[:, :, None]
        & pairing.keys[:, None]
    )
    logits = features.mT @ keys
    # all of a row can be outside: no -inf
    weights = logits.masked_fill(~inside, torch.finfo(logits.dtype).min).softmax(2) * inside
    return (scores[:, None] * features + keys @ weights.mT) * pairing.queries[:, None]


class DenseRegionsHead(GivenRegionsHead):
    dense = patch.object(INTERACTION, 'set_attention', dense_attention)
    _context, region_parts = dense(GivenRegionsHead._context), dense(GivenRegionsHead.region_parts)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.construct = dense_construction


def main(argv: Sequence[str] | None = None) -> None:
    args = parse(argv)
    init_default_scope('mmseg')
    torch.manual_seed(0)
    print(describe('Table 3', args).replace(' x 3 x ', f' x {WIDTH} x '))
    print(table_3(args), growth(args), sep='\n\n')


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = options(__doc__, batch=(1, 1), size=97)
    parser.add_argument('--heads', nargs='*', choices=PAPER, default=list(PAPER))
    parser.add_argument('--sizes', nargs='*', type=int, default=[33, 65, 97, 129])
    parser.add_argument('--classes', nargs='*', type=int, default=[CLASSES, 60], help='of the growth table; 4 or more')
    args = parser.parse_args(argv)
    if min(args.classes, default=4) < 4:
        parser.error('--classes: expected 4 or more')  # of which each pixel and its neighbours have one of their own
    return args


def trained(size: int, classes: int) -> Maps:
    """Sixty blobs, each of the pixels nearest to one point."""
    random = torch.Generator().manual_seed(0)
    pixels = torch.cartesian_prod(torch.arange(size), torch.arange(size)).float()
    blobs = torch.cdist(pixels, torch.rand(60, 2, generator=random) * size).argmin(1).view(1, 1, size, size)
    border = F.max_pool2d(blobs.float(), 3, 1, 1) + F.max_pool2d(-blobs.float(), 3, 1, 1) > 0
    noise = torch.randn(1, 1 + classes, size, size, generator=random) / 2
    return torch.where(border, 3.0, -4.0) + noise[:, :1], semantic(blobs % classes, classes) + noise[:, 1:]


def every_pixel(size: int, classes: int) -> Maps:
    """Neighbours differ in class, others have a boundary in between."""
    y, x = torch.arange(size)[:, None] % 2, torch.arange(size) % 2
    return torch.full((1, 1, size, size), 9.0), semantic((2 * y + x)[None, None], classes)


def one_region(size: int, classes: int) -> Maps:
    return torch.full((1, 1, size, size), -4.0), semantic(torch.zeros(1, 1, size, size).long(), classes)


def untrained(size: int, classes: int) -> Maps:
    random = torch.Generator().manual_seed(0)
    scores = torch.randn(1, 1 + classes, size, size, generator=random) / 20
    return scores[:, :1], scores[:, 1:]


def semantic(labels: Tensor, classes: int) -> Tensor:
    return 8.0 * F.one_hot(labels[:, 0], classes).movedim(-1, 1)


CASES = {'trained': trained, 'every pixel': every_pixel, 'one region': one_region, 'untrained': untrained}


def maps(case: str, args: argparse.Namespace, size: int, classes: int = CLASSES) -> Maps:
    boundary, scores = (part.expand(args.batch, -1, -1, -1).to(args.device) for part in CASES[case](size, classes))
    return boundary, scores


def table_3(args: argparse.Namespace) -> PrettyTable:
    features = torch.randn(args.batch, WIDTH, args.size, args.size, device=args.device)
    heads, table = {}, PrettyTable(COLUMNS)
    table.align = 'r'
    for name in args.heads:
        try:
            heads[name] = build(name, args).to(args.device)
        except RuntimeError as error:
            table.add_row([name, f'left out: {str(error).split(". ")[0]}', *[''] * (len(COLUMNS) - 2)])
    steps = {
        name: training_step(partial(loss, head, features), head.parameters(), args) for name, head in heads.items()
    }
    inferences = {name: inference(partial(infer, head, features), args) for name, head in heads.items()}
    times = [measure(runs, args) for runs in (steps, inferences)]
    for name, head in heads.items():
        table.add_row(
            [
                name,
                *work(name, head, inferences[name], args),
                *peaks(name, head, steps[name], inferences[name], features, args),
                *(f'{medians[name]:.1f}' for medians in times),
            ]
        )
    return table


def build(name: str, args: argparse.Namespace) -> nn.Module:
    settings = dict(
        in_channels=WIDTH, channels=WIDTH, num_classes=CLASSES, norm_cfg=dict(type='BN'), align_corners=False
    )
    if name in RIVALS:
        if name == 'PSANet' and args.device == 'cpu' and args.size > 33:
            raise RuntimeError('too slow on a CPU')  # and its peak takes more memory to find than there is
        mask = dict(mask_size=(args.size, args.size)) if name == 'PSANet' else {}
        return MODELS.build(settings | RIVALS[name] | mask)
    if name != 'RANet, dense':
        return GivenRegionsHead(maps(name.removeprefix('RANet, '), args, args.size), **settings)
    needed = args.batch * args.size**4 * DENSE_BYTES
    there = (
        torch.cuda.mem_get_info(args.device)[0]
        if args.device.startswith('cuda')
        else os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2
    )  # cached files make free memory look small
    if needed > there:
        raise RuntimeError(f'needs {needed / 2**30:.0f} GiB')
    return DenseRegionsHead(maps('trained', args, args.size), **settings)


def loss(head: nn.Module, features: Tensor) -> Tensor:
    own = features.detach().requires_grad_()  # a new leaf: its gradient ends with the step
    outputs = getattr(head.train(), 'forward_branches', head)([own, own])
    return sum(output.float().square().mean() for output in tree_leaves(outputs))


def infer(head: nn.Module, features: Tensor) -> object:
    return head.eval()([features, features])


def work(name: str, head: nn.Module, run: Run, args: argparse.Namespace) -> list[str]:
    with FlopCounterMode(display=False) as counter:
        run()
    pairs = f'{sum(pair_work(args.size, CLASSES)) * args.batch / 1e9:.2f}' if name.startswith('RANet') else ''
    parameters = sum(parameter.numel() for parameter in head.parameters())
    return [
        f'{counter.get_total_flops() / 2e9:.1f}',
        pairs,
        str(PAPER[name][0]),
        f'{parameters / 1e6:.1f}',
        str(PAPER[name][1]),
    ]


def peaks(
    name: str, head: nn.Module, step: Run, inferred: Run, features: Tensor, args: argparse.Namespace
) -> list[str]:
    def regions_alone() -> None:
        with autocast(args):
            found = head.region_parts(features.detach().requires_grad_()).float().square().mean()
        found.backward()

    def peak(run: Run, backward: bool = True) -> str:
        head.zero_grad()  # a step that begins by freeing the gradients of the last one has a lower peak
        kernels = kernel_arrays(args.size, CLASSES, args, backward) if type(head) is GivenRegionsHead else 0
        return f'{peak_memory(run, args.device) + kernels:.0f}'

    alone = peak(regions_alone) if isinstance(head, GivenRegionsHead) else ''
    return [peak(step), str(PAPER[name][2]), alone, peak(inferred, False)]


def pair_work(size: int, classes: int) -> tuple[float, float]:
    """Reads and logarithms of all pairs of an image."""
    pairs = size**4 / 2
    return pairs * 7 / 15 * size * 2, pairs * classes


def kernel_arrays(size: int, classes: int, args: argparse.Namespace, backward: bool) -> float:
    """MiB of the NumPy arrays of an image in the kernels of a CPU, which torch does not see."""
    sums = torch.get_num_threads() * (1 + backward * classes)
    return 0.0 if args.device.startswith('cuda') else size**2 * (classes + 1 + sums) * 8 / MEBIBYTE


def growth(args: argparse.Namespace) -> PrettyTable:
    table = PrettyTable(GROWTH_COLUMNS)
    table.align = 'r'
    numbers = torch.rand(2**24, device=args.device)
    pace = [clock(run, args.device) / len(numbers) for run in (numbers.sum, numbers.log2) for _ in range(2)][1::2]
    for classes, size, case in product(args.classes, args.sizes, CASES):
        boundary, scores = maps(case, args, size, classes)
        run = inference(partial(region_construction, boundary[:, 0].sigmoid(), scores.softmax(1)), args)
        regions = len(run().labels[0].unique())
        spent = statistics.median(clock(run, args.device) for _ in range(args.rounds))
        peak = peak_memory(run, args.device) + kernel_arrays(size, classes, args, False)
        reads, logarithms = (args.batch * amount for amount in pair_work(size, classes))
        floor = reads * pace[0] + logarithms * pace[1]
        table.add_row(
            [
                size,
                classes,
                case,
                regions,
                f'{spent * 1000:.1f}',
                f'{peak:.1f}',
                f'{reads / 1e9:.2f}',
                f'{logarithms / 1e9:.2f}',
                f'{floor * 1000:.1f}',
                f'{spent / floor:.2f}',
            ]
        )
    return table


if __name__ == '__main__':
    main()
