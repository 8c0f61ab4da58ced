"""Measures table 3 of RANet anew: the cost that its head and rival heads add. Measures region construction alone, too.

    python benchmarks/ranet.py                          # this machine's GPU, or its CPU
    python benchmarks/ranet.py --device cpu --rounds 1 --size 65 --sizes 33 65

The first table has heads on a map of 512 channels (``--size``) and 19 classes, beside the paper's figures. They run in
turns within a round. The dense RANet holds all P x P tables. ``ranet_heads.py`` has the score maps and their names.

GMAC         The multiply-adds of convolutions and matrix products in inference, as the paper counts. Parameters times
             pixels are most of the paper's "FLOPS".
pairs (G)    The reads and logarithms of region construction, by formula: each of P^2 / 2 pairs reads 2 numbers at each
             of 7 / 15 side points of a line, and takes N logarithms.
peaks        As in ``common.peak_memory``, plus the memory of the kernels on a CPU. Training includes the gradients of
             the parameters. "regions" is training without the convolutions.
floor        The time of these reads and logarithms at the speed of torch's sum and log2 of 4 M neighbouring numbers.
CPU          The seconds of all threads of this process together. With OMP_NUM_THREADS=1, there is one.

The second table has region construction alone, forward (``--sizes``, ``--classes``).
"""

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from functools import partial
from itertools import product

import torch
from common import MEBIBYTE, Run, autocast, clock, describe, inference, measure, options, peak_memory, training_step
from mmengine.registry import MODELS, init_default_scope
from prettytable import PrettyTable
from ranet_heads import CASES, Case, DenseRegionsHead, GivenRegionsHead, Maps, trained
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from mmrev.models.layers import region_construction

WIDTH, CLASSES = 512, 19
# The paper's GFLOPS, parameters (M) and memory (MB).
PAPER = {
    'RANet, trained': (212, 21, 1893),
    'RANet, every pixel': (212, 21, 1893),
    'RANet, dense': (212, 21, 1893),
    'ANN': (163, 13, 634),
    'CCNet': (198, 18, 730),
    'DANet': (264, 23, 2611),
    'PSANet': (372, 50, 3124),
}
# The options are those of mmseg's configs.
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
    'CPU (s)',
    'peak (MiB)',
    'reads (G)',
    'logs (G)',
    'floor (ms)',
    'to floor',
]
# A dense training step holds some 70 tables. Measured for a pair of pixels, with 19 classes at 33 x 33.
DENSE_BYTES = 300


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
    parser.add_argument(
        '--classes', nargs='*', type=int, default=[CLASSES, 60], help='number of classes in the second table, 4 or more'
    )
    args = parser.parse_args(argv)
    if min(args.classes, default=4) < 4:
        parser.error('--classes: expected 4 or more')  # 'every pixel' has 4 classes in each 2 x 2 pixels
    return args


def maps(case: Case, args: argparse.Namespace, size: int, classes: int = CLASSES) -> Maps:
    boundary, scores = case(size, classes)
    return tuple(part.expand(args.batch, -1, -1, -1).to(args.device) for part in (boundary, scores))


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
            raise RuntimeError('too slow on a CPU')  # finding its peak also needs more memory than most machines have
        mask = dict(mask_size=(args.size, args.size)) if name == 'PSANet' else {}
        return MODELS.build(settings | RIVALS[name] | mask)
    if name != 'RANet, dense':
        return GivenRegionsHead(maps(CASES[name.removeprefix('RANet, ')], args, args.size), **settings)
    needed = args.batch * args.size**4 * DENSE_BYTES
    if needed > free_memory(args.device):
        raise RuntimeError(f'needs {needed / 2**30:.0f} GiB')
    return DenseRegionsHead(maps(trained, args, args.size), **settings)


def free_memory(device: str) -> float:
    """The bytes that a benchmark may use. On a CPU, half of all: cached files make free memory look small."""
    if device.startswith('cuda'):
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2


def loss(head: nn.Module, features: Tensor) -> Tensor:
    own = features.detach().requires_grad_()  # a new leaf, whose gradient is freed with the step
    outputs = getattr(head.train(), 'forward_branches', head)([own, own])
    return sum(output.float().square().mean() for output in tree_leaves(outputs))


def infer(head: nn.Module, features: Tensor) -> object:
    return head.eval()([features, features])


def work(name: str, head: nn.Module, run: Run, args: argparse.Namespace) -> list[str]:
    """The cells from GMAC to parameters."""
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
    """The cells of peak memory."""

    def regions_alone() -> None:
        with autocast(args):
            found = head.region_parts(features.detach().requires_grad_()).float().square().mean()
        found.backward()

    def peak(run: Run, backward: bool = True) -> str:
        head.zero_grad()  # otherwise the step first frees the last gradients, and its peak looks lower
        kernels = kernel_arrays(args.size, CLASSES, args, backward) if type(head) is GivenRegionsHead else 0
        return f'{peak_memory(run, args.device) + kernels:.0f}'

    alone = peak(regions_alone) if isinstance(head, GivenRegionsHead) else ''
    return [peak(step), str(PAPER[name][2]), alone, peak(inferred, False)]


def pair_work(size: int, classes: int) -> tuple[float, float]:
    """The number of reads and of logarithms for all pairs of an image."""
    pairs = size**4 / 2
    return pairs * 7 / 15 * size * 2, pairs * classes


def kernel_arrays(size: int, classes: int, args: argparse.Namespace, backward: bool) -> float:
    """The MiB of the NumPy arrays in a CPU's kernels, for an image. Torch does not count them."""
    maps = 4 + classes + backward * (2 + 2 * classes)
    sums = torch.get_num_threads() * (3 + backward * (2 + classes))
    return 0.0 if args.device.startswith('cuda') else size * (size + 8) * (maps + sums) * 8 / MEBIBYTE


def growth(args: argparse.Namespace) -> PrettyTable:
    table = PrettyTable(GROWTH_COLUMNS)
    table.align = 'r'
    read_pace, log_pace = paces(args.device)
    for classes, size, case in product(args.classes, args.sizes, CASES):
        boundary, scores = maps(CASES[case], args, size, classes)
        run = inference(partial(region_construction, boundary[:, 0].sigmoid(), scores.softmax(1)), args)
        regions = len(run().labels[0].unique())
        busy = time.process_time()
        spent = statistics.median(clock(run, args.device) for _ in range(args.rounds))
        busy = (time.process_time() - busy) / args.rounds
        peak = peak_memory(run, args.device) + kernel_arrays(size, classes, args, False)
        reads, logarithms = (args.batch * amount for amount in pair_work(size, classes))
        floor = reads * read_pace + logarithms * log_pace
        table.add_row(
            [
                size,
                classes,
                case,
                regions,
                f'{spent * 1000:.1f}',
                f'{busy:.3f}',
                f'{peak:.1f}',
                f'{reads / 1e9:.2f}',
                f'{logarithms / 1e9:.2f}',
                f'{floor * 1000:.1f}',
                f'{spent / floor:.2f}',
            ]
        )
    return table


def paces(device: str) -> list[float]:
    """The seconds of torch's sum and of its log2 for a number. A first run of each warms up."""
    numbers, found = torch.rand(2**22, device=device), []
    for run in (numbers.sum, numbers.log2):
        times = [clock(run, device) for _ in range(10)][1:]
        found.append(statistics.median(times) / len(numbers))
    return found


if __name__ == '__main__':
    main()
