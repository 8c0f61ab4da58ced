"""Measures the cost of reverse attention: RA-, SE- and CBAM-ResNet-50 against the plain ResNet-50, in one run.

    python benchmarks/ra_net.py                        # this machine's GPU, or its CPU
    python benchmarks/ra_net.py --device cpu --batch 4 --modes eager

The networks take turns within a round, so other work of the machine slows all of them alike. The table has the medians
over the rounds, and their ratios to the plain network's median in the same mode. A training step is forward, backward
and SGD. RA must read F(x) of every block once more, so it cannot cost less than that. The last line measures this
reading alone.
"""

import argparse
from collections.abc import Sequence

import torch
from common import MEBIBYTE, Run, describe, inference, measure, options, training_step
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
        steps, inferences = (
            measure({name: make(build(kind, args), images, mode, args) for name, kind in NETWORKS.items()}, args)
            for make in (train, infer)
        )
        for name in NETWORKS:
            table.add_row(
                [
                    mode,
                    name,
                    f'{steps[name]:.1f}',
                    f'{steps[name] / steps["plain"]:.3f}',
                    f'{inferences[name]:.1f}',
                    f'{inferences[name] / inferences["plain"]:.3f}',
                ]
            )
    print(f'{describe(f"ResNet-{args.depth}", args)}\n{table}\n{floor(images, args)}')


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = options(__doc__, batch=(64, 8), size=224)
    parser.add_argument('--depth', type=int, default=50)
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


def train(network: nn.Module, images: torch.Tensor, mode: str, args: argparse.Namespace) -> Run:
    network.train()
    run = torch.compile(network) if mode == 'compile' else network
    return training_step(lambda: run(images)[-1].float().square().mean(), network.parameters(), args)


def infer(network: nn.Module, images: torch.Tensor, mode: str, args: argparse.Namespace) -> Run:
    network.eval()
    run = torch.compile(network) if mode == 'compile' else network
    return inference(lambda: run(images), args)


def floor(images: torch.Tensor, args: argparse.Namespace) -> str:
    """Measures the time to read F(x) of every block once. The norms need this pass before the sum reads F(x) again."""
    maps: list[torch.Tensor] = []
    network = build('mmrev.RAResNet', args).eval()
    hooks = [
        module.register_forward_pre_hook(lambda _, inputs: maps.append(inputs[0]))
        for name, module in network.named_modules()
        if name.endswith('.addition')
    ]
    with torch.no_grad():
        network(images)
        for hook in hooks:
            hook.remove()
        spent = measure({'read': lambda: [feature.sum((2, 3)) for feature in maps]}, args)['read']
    megabytes = sum(feature.numel() * feature.element_size() for feature in maps) / MEBIBYTE
    return f'floor: reading F(x) of {len(maps)} blocks once ({megabytes:.0f} MiB) takes {spent:.1f} ms'


if __name__ == '__main__':
    main()
