"""Exported and compiled models of all four methods: how far they are from torch, and how fast.

    python benchmarks/export.py            # the table of exports
    python benchmarks/export.py --compile  # eager against inductor, inference and training; needs a C++ compiler

The weights are random. Each time is the median of interleaved runs, because other programs share the machine: compare
the numbers of one row.
"""

import argparse
import logging
import statistics
import time
import warnings
from collections.abc import Callable, Sequence

import torch
from mmengine.registry import MODELS, DefaultScope
from torch import nn

from mmrev.export.checking import compare
from mmrev.export.exporting import CHECKED, EXAMPLE, random_images
from mmrev.export.formats import run_archive, run_onnx, trace, write_archive, write_onnx
from mmrev.export.network import Network, prepared

Run = Callable[[], object]
WIDTHS = [64, 128, 256, 512]
PREPROCESSOR = dict(type='SegDataPreProcessor')
RESNET = dict(type='ResNetV1c', depth=18, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4))
LFOV = dict(type='mmrev.LargeFOVHead', in_channels=512, in_index=3, num_classes=11)
MODELS_OF: dict[str, tuple[str, dict]] = {
    'RAN-n': (
        'segmentation',
        dict(
            type='EncoderDecoder',
            backbone=RESNET,
            decode_head=dict(
                type='mmrev.ReverseAttentionHead', mode='normalized', in_channels=512, in_index=3, num_classes=11
            ),
        ),
    ),
    'scale attention': (
        'segmentation',
        dict(
            type='mmrev.MultiScaleEncoderDecoder',
            scales=(1.0, 0.5),
            backbone=RESNET,
            decode_head=LFOV,
            fusion=dict(type='mmrev.ScaleAttentionHead', in_channels=WIDTHS, num_classes=11, scale_channels=64),
        ),
    ),
    'RANet': (
        'segmentation',
        dict(
            type='EncoderDecoder',
            backbone=RESNET,
            decode_head=dict(
                type='mmrev.RegionAttentionHead', in_channels=512, in_index=3, channels=128, num_classes=11
            ),
        ),
    ),
    'RA-ResNet-18': (
        'classification',
        dict(
            type='mmpretrain.ImageClassifier',
            backbone=dict(type='mmrev.RAResNet', depth=18),
            neck=dict(type='mmpretrain.GlobalAveragePooling'),
            head=dict(type='mmpretrain.LinearClsHead', num_classes=100, in_channels=512),
        ),
    ),
}


def network_of(name: str) -> Network:
    """Builds a network whose gates are awake."""
    task, config = MODELS_OF[name]
    scope = 'mmseg' if task == 'segmentation' else 'mmpretrain'
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope(scope):
        segmenting = dict(data_preprocessor=PREPROCESSOR, train_cfg={}, test_cfg=dict(mode='whole'))
        model = MODELS.build({**config, **(segmenting if task == 'segmentation' else {})})
        model.init_weights()
    for key, parameter in model.named_parameters():
        if 'gamma' in key:
            nn.init.normal_(parameter, std=0.3)
    return Network(model, task).eval()


def medians(runs: Sequence[Run], rounds: int) -> list[float]:
    """Runs all in turn, and returns the median of each in milliseconds."""
    times: list[list[float]] = [[] for _ in runs]
    for number in range(rounds + 1):
        for own, run in zip(times, runs, strict=True):
            start = time.perf_counter()
            run()
            if number:  # the first round warms up
                own.append(1000 * (time.perf_counter() - start))
    return [statistics.median(own) for own in times]


def export_rows(name: str, args: argparse.Namespace) -> None:
    network = network_of(name)
    program = trace(prepared(network), next(random_images([(2, *EXAMPLE)], uint8=False)))
    runs = {'torch-export': run_archive(write_archive(program, {}))}
    if name != 'RANet':
        runs['onnx'] = run_onnx(write_onnx(program, {}, ['scores']))
    for file_format, run in runs.items():
        found = compare(run, network, random_images(CHECKED, uint8=False))
        cells = []
        for batch in (1, 8):
            images = torch.randn(batch, 3, args.size, args.size)
            with torch.no_grad():
                plain, exported = medians(
                    [lambda images=images: network(images), lambda images=images, run=run: run(images)], args.rounds
                )
            cells += [f'{plain:.0f}', f'{exported:.0f}', f'{exported / plain:.2f}']
        sizes = ', '.join(f'{height} x {width}' for _, height, width in CHECKED)
        print(f'| {name} | {file_format} | {sizes} | {found.difference:.1e} | {" | ".join(cells)} |', flush=True)


def compile_row(name: str, args: argparse.Namespace) -> None:
    network = network_of(name)
    compiled = torch.compile(network, fullgraph=True)
    images = torch.randn(2, 3, args.size, args.size)

    def infer(module: Callable) -> Run:
        def run() -> None:
            with torch.no_grad():
                module(images)

        return run

    def train(module: Callable) -> Run:
        def run() -> None:
            network.zero_grad()
            module(images).square().mean().backward()

        return run

    cells = []
    for step in (infer, train):
        eager, inductor = medians([step(network), step(compiled)], args.rounds)
        cells += [f'{eager:.0f}', f'{inductor:.0f}', f'{inductor / eager:.2f}']
    print(f'| {name} | {" | ".join(cells)} |', flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--compile', action='store_true', help='the table of torch.compile')
    parser.add_argument('--models', nargs='+', choices=MODELS_OF, default=list(MODELS_OF), metavar='MODEL')
    parser.add_argument('--size', type=int, default=128, help='height and width of the timed images')
    parser.add_argument('--rounds', type=int, default=5)
    args = parser.parse_args()
    warnings.simplefilter('ignore')
    logging.disable(logging.INFO)  # mmengine lists every weight
    print(f'torch {torch.__version__}, {torch.get_num_threads()} threads, {args.size} x {args.size} pixels\n')
    if args.compile:
        print('| model | inference: eager, ms | inductor, ms | ratio | training: eager, ms | inductor, ms | ratio |')
        print(f'|---{"|---" * 6}|')
    else:
        print('| model | format | sizes | largest difference | batch 1: torch, ms | exported, ms | ratio ', end='')
        print('| batch 8: torch, ms | exported, ms | ratio |')
        print(f'|---{"|---" * 9}|')
    for name in args.models:
        (compile_row if args.compile else export_rows)(name, args)


if __name__ == '__main__':
    main()
