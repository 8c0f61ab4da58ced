"""What reverse attention costs: RA-, SE- and CBAM-ResNet-50 against the plain ResNet-50, in one run.

    python benchmarks/ra_net.py                        # this machine's GPU, or its CPU
    python benchmarks/ra_net.py --device cpu --batch 4 --modes eager

The networks take turns within a round, so that what else the machine does meets all alike; the table has medians over
the rounds, and ratios of these to the plain network's of the same mode. A training step is forward, backward and SGD.
RA cannot cost less than reading F(x) of every block once more: the last line measures that reading alone.
"""
import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import torch
from mmengine.registry import MODELS, init_default_scope
from prettytable import PrettyTable
from torch import nn

NETWORKS = {'plain': 'ResNet', 'RA': 'mmrev.RAResNet', 'SE': 'mmrev.SEResNet', 'CBAM': 'mmrev.CBAMResNet'}


def main(argv: Sequence[str] | None = None) -> None:
    args = parse(argv)
    init_default_scope('mmpretrain')
    torch.manual_seed(0)
    torch._dynamo.config.recompile_limit = 64  # all networks share the code of one forward
    images = torch.randn(args.batch, 3, args.size, args.size, device=args.device)
    if args.channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    table = PrettyTable(['mode', 'network', 'training step (ms)', 'to plain', 'inference (ms)', 'to plain '])
    table.align = 'r'
    for mode in args.modes:
        steps, inferences = (measure({name: make(build(kind, args), images, mode, args) for name, kind in
                                      NETWORKS.items()}, args) for make in (training_step, inference))
        for name in NETWORKS:
            table.add_row([mode, name, f'{steps[name]:.1f}', f'{steps[name] / steps["plain"]:.3f}',
                           f'{inferences[name]:.1f}', f'{inferences[name] / inferences["plain"]:.3f}'])
    print(f'{describe(args)}, median of {args.rounds} rounds\n{table}\n{floor(images, args)}')


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--batch', type=int, default=64 if torch.cuda.is_available() else 8)
    parser.add_argument('--size', type=int, default=224, help='height and width of the images')
    parser.add_argument('--depth', type=int, default=50)
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--amp', action='store_true', help='bfloat16 autocast')
    parser.add_argument('--channels-last', action='store_true')
    parser.add_argument('--modes', nargs='+', choices=['eager', 'compile'], default=['eager', 'compile'])
    return parser.parse_args(argv)


def build(kind: str, args: argparse.Namespace) -> nn.Module:
    network = MODELS.build(dict(type=kind, depth=args.depth)).to(args.device)
    if args.channels_last:
        network.to(memory_format=torch.channels_last)
    for name, parameter in network.named_parameters():
        if name.endswith('gamma'):
            nn.init.normal_(parameter, std=0.1)
    return network


def training_step(network: nn.Module, images: torch.Tensor, mode: str, args: argparse.Namespace) -> Callable[[], None]:
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9)
    run = torch.compile(network) if mode == 'compile' else network

    def step() -> None:
        optimizer.zero_grad()
        with torch.autocast(args.device, dtype=torch.bfloat16, enabled=args.amp):
            loss = run(images)[-1].float().square().mean()
        loss.backward()
        optimizer.step()
    return step


def inference(network: nn.Module, images: torch.Tensor, mode: str, args: argparse.Namespace) -> Callable[[], None]:
    network.eval()
    run = torch.compile(network) if mode == 'compile' else network

    def infer() -> None:
        with torch.no_grad(), torch.autocast(args.device, dtype=torch.bfloat16, enabled=args.amp):
            run(images)
    return infer


def measure(runs: dict[str, Callable[[], None]], args: argparse.Namespace) -> dict[str, float]:
    """Median milliseconds of each, after two runs that do not count (compilation, choice of algorithms)."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(args.rounds + 2):
        for name, run in runs.items():
            seconds = clock(run, args.device)
            if turn >= 2:
                times[name].append(seconds * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def clock(run: Callable[[], None], device: str) -> float:
    wait = torch.cuda.synchronize if device.startswith('cuda') else (lambda: None)
    wait()
    start = time.perf_counter()
    run()
    wait()
    return time.perf_counter() - start


def floor(images: torch.Tensor, args: argparse.Namespace) -> str:
    """The time to read F(x) of every block once, as its norms must before the sum can read it again."""
    maps: list[torch.Tensor] = []
    network = build('mmrev.RAResNet', args).eval()
    hooks = [module.register_forward_pre_hook(lambda _, inputs: maps.append(inputs[0]))
             for name, module in network.named_modules() if name.endswith('.addition')]
    with torch.no_grad():
        network(images)
        for hook in hooks:
            hook.remove()
        spent = measure({'read': lambda: [feature.sum((2, 3)) for feature in maps]}, args)['read']
    megabytes = sum(feature.numel() * feature.element_size() for feature in maps) / 2 ** 20
    return f'floor: reading F(x) of {len(maps)} blocks once ({megabytes:.0f} MiB) takes {spent:.1f} ms'


def describe(args: argparse.Namespace) -> str:
    name = torch.cuda.get_device_name() if args.device.startswith('cuda') else f'CPU, {torch.get_num_threads()} threads'
    precision = 'bfloat16 autocast' if args.amp else 'float32'
    memory = ', channels last' if args.channels_last else ''
    return (f'ResNet-{args.depth}, {args.batch} x 3 x {args.size} x {args.size}, {precision}{memory}, {name}, '
            f'torch {torch.__version__}')


if __name__ == '__main__':
    main()
