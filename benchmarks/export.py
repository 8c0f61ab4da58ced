"""Exported and compiled models of all four methods: how far they are from torch, and how fast.

    python benchmarks/export.py --images photos/      # the table of exports
    python benchmarks/export.py --compile --size 129  # eager against inductor; needs a C++ compiler

The models are those of packaged configs. Their weights are random; ``--resnet50`` gives real ones to RA-ResNet-50. Each
time is the median of interleaved runs, because other programs share the machine: compare the numbers of one row. Sizes
like 129 compile in one graph: at others mmseg warns about align_corners, which breaks it.
"""

import argparse
import logging
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import MODELS, DefaultScope
from PIL import Image
from torch import Tensor, nn

from mmrev.config_files import read_config
from mmrev.engine.checkpoints import read_checkpoint
from mmrev.export.checking import compare
from mmrev.export.dense_regions import LIMIT, without_operators
from mmrev.export.exporting import CHECKED, EXAMPLE, random_images
from mmrev.export.formats import run_archive, run_onnx, trace, write_archive, write_onnx
from mmrev.export.network import Network, prepared
from mmrev.hosts import HOSTS

Run = Callable[[], object]
EXPORTED = {
    'RAN-n, ResNet-18, 3 scales': 'ran_n_r18_camvid',
    'RAN-n, ResNet-101, 3 scales': 'ran_n_r101_voc12aug',
    'scale attention, VGG-16': 'scale_attention_vgg16_camvid',
    'RAN-n + scale attention + RA-ResNet-101': 'ran_n_scale_attention_ra_r101_cityscapes',
    'RANet, ResNet-18': 'ranet_r18_camvid',
    'RANet, ResNet-101': 'ranet_r101_cityscapes',
    'RA-ResNet-50': 'ra_resnet50_in1k',
    'RA-ResNet-50 of Faster R-CNN': 'faster_rcnn_ra_r50_fpn_coco',
}
COMPILED = {
    'RAN-n, ResNet-18, 3 scales': 'ran_n_r18_camvid',
    'scale attention, VGG-16': 'scale_attention_vgg16_camvid',
    'RANet, ResNet-18': 'ranet_r18_camvid',
    'RA-ResNet-18': 'ra_resnet18_in1k',
}


def network_of(name: str, weights: Path | None = None) -> Network:
    """Builds the network of a packaged config. Its gates are awake."""
    cfg = read_config(name)
    task = HOSTS[cfg.default_scope].task
    model_cfg = without_pretrained(cfg.model.to_dict())
    if weights and model_cfg['backbone'].get('depth') == 50:
        model_cfg['backbone']['style'] = 'caffe'
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        if task == 'detection':  # only the backbone is exported
            model: Any = nn.Module()
            model.backbone = MODELS.build(model_cfg['backbone'])
            model.backbone.init_weights()
        else:
            model = MODELS.build(model_cfg)
            model.init_weights()
    if weights and model_cfg['backbone'].get('depth') == 50:
        model.backbone.load_state_dict(read_checkpoint(weights), strict=False)
    for key, parameter in model.named_parameters():
        if 'gamma' in key:
            nn.init.normal_(parameter, std=0.3)
    return Network(revert_sync_batchnorm(model), task, uint8=True).eval()


def without_pretrained(config: Any) -> Any:
    """Returns a config without the addresses of weights."""
    if isinstance(config, dict):
        return {
            key: without_pretrained(value) for key, value in config.items() if key not in ('init_cfg', 'pretrained')
        }
    return [without_pretrained(value) for value in config] if isinstance(config, list) else config


def batches(shapes: Sequence[tuple[int, int, int]], folder: Path | None) -> Iterator[Tensor]:
    """Yields RGB images [B, 3, H, W] uint8: the pictures of a folder, resized, or random ones."""
    if folder is None:
        yield from random_images(shapes, uint8=True)
        return
    files = cycle(sorted(path for path in folder.rglob('*') if path.suffix.lower() in ('.jpg', '.jpeg', '.png')))
    for count, height, width in shapes:
        pictures = [Image.open(file).convert('RGB').resize((width, height)) for file in islice(files, count)]
        yield torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures])).permute(0, 3, 1, 2).contiguous()


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
    network = network_of(EXPORTED[name], args.resnet50)
    fixed = 'RANet' in name and (args.size // 8) ** 2 <= LIMIT
    free = trace(prepared(network), next(batches([(2, *EXAMPLE)], args.images)))
    runs = {'torch-export': (run_archive(write_archive(free, {})), CHECKED)}
    outputs = [f'output_{number}' for number in range(len(free.graph_signature.user_outputs))]
    if not fixed:
        runs['onnx'] = run_onnx(write_onnx(free, {}, outputs)), CHECKED
    else:
        program = trace(prepared(network), next(batches([(2, args.size, args.size)], args.images)), free=False)
        runs['onnx'] = run_onnx(write_onnx(without_operators(program), {}, outputs)), [(3, args.size, args.size)]
    for file_format, (run, checked) in runs.items():
        found = compare(run, network, batches(checked, args.images), labelled=network.task != 'detection')
        labels = f'{100 * found.agreement:.3f}' if found.labels else '-'
        cells = []
        for batch in (1, 8):
            images = next(batches([(batch, args.size, args.size)], args.images))
            with torch.no_grad():
                plain, exported = medians(
                    [lambda images=images: network(images), lambda images=images, run=run: run(images)], args.rounds
                )
            cells += [f'{plain:.0f}', f'{exported:.0f}', f'{exported / plain:.2f}']
        sizes = ', '.join(f'{height} x {width}' for _, height, width in checked)
        cells = [sizes, f'{found.relative:.1e}', labels, *cells]
        print(f'| {name} | {file_format} | {" | ".join(cells)} |', flush=True)


def compile_row(name: str, args: argparse.Namespace) -> None:
    network = network_of(COMPILED[name])
    compiled = torch.compile(network, fullgraph=True)
    images = next(batches([(args.batch, args.size, args.size)], args.images))

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
        network.train(step is train)
        eager, inductor = medians([step(network), step(compiled)], args.rounds)
        cells += [f'{eager:.0f}', f'{inductor:.0f}', f'{inductor / eager:.2f}']
    print(f'| {name} | {" | ".join(cells)} |', flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--compile', action='store_true', help='the table of torch.compile')
    parser.add_argument('--models', nargs='+', metavar='MODEL', help='only these rows, for example "RA-ResNet-50"')
    parser.add_argument('--images', type=Path, help='a folder of pictures (default: random images)')
    parser.add_argument('--resnet50', type=Path, help="weights of Caffe's ResNet-50 for the RA-ResNet-50")
    parser.add_argument('--size', type=int, default=128, help='height and width of the timed images')
    parser.add_argument('--batch', type=int, default=2, help='images of a compiled step')
    parser.add_argument('--rounds', type=int, default=5)
    args = parser.parse_args()
    warnings.simplefilter('ignore')
    logging.disable(logging.INFO)  # mmengine lists every weight
    print(f'torch {torch.__version__}, {torch.get_num_threads()} threads, {args.size} x {args.size} pixels\n')
    if args.compile:
        print('| model | inference: eager, ms | inductor, ms | ratio | training: eager, ms | inductor, ms | ratio |')
        print(f'|---{"|---" * 6}|')
    else:
        print('| model | format | sizes | largest difference | equal labels (%) ', end='')
        print('| batch 1: torch, ms | exported, ms | ratio ', end='')
        print('| batch 8: torch, ms | exported, ms | ratio |')
        print(f'|---{"|---" * 10}|')
    for name in args.models or (COMPILED if args.compile else EXPORTED):
        (compile_row if args.compile else export_rows)(name, args)


if __name__ == '__main__':
    main()
