"""The parts that all benchmarks share: options, runs, clock, memory and the first line of the report."""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

Run = Callable[[], object]
MEBIBYTE = 2**20


def options(description: str, batch: tuple[int, int], size: int) -> argparse.ArgumentParser:
    """Makes a parser with the options that all benchmarks have.

    Args:
        description: The description of the benchmark.
        batch: The default number of images on a GPU, and on a CPU.
        size: The default height and width of the images.
    """
    gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cuda' if gpu else 'cpu')
    parser.add_argument('--batch', type=int, default=batch[0 if gpu else 1])
    parser.add_argument('--size', type=int, default=size, help='height and width of the images')
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--amp', action='store_true', help='bfloat16 autocast')
    return parser


def make_samples(labels: Tensor) -> list[Any]:
    """Makes mmseg's data samples with the labels [B, H, W] as their ground truth."""
    from mmengine.structures import PixelData  # the benchmark of classifiers works without mmseg
    from mmseg.structures import SegDataSample

    size = tuple(labels.shape[1:])
    meta = dict(img_shape=size, pad_shape=size, ori_shape=size)
    return [SegDataSample(gt_sem_seg=PixelData(data=label[None]), metainfo=meta) for label in labels]


def total_loss(losses: dict[str, Tensor]) -> Tensor:
    """Adds up the losses as mmengine does for training."""
    return torch.stack([value for name, value in losses.items() if 'loss' in name]).sum()


def training_step(loss: Callable[[], Tensor], parameters: Iterable[nn.Parameter], args: argparse.Namespace) -> Run:
    """Makes a run of one training step: forward, backward and SGD."""
    optimizer = torch.optim.SGD(parameters, lr=1e-4, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        with autocast(args):
            value = loss()
        value.backward()
        optimizer.step()

    return step


def inference(forward: Callable[[], object], args: argparse.Namespace) -> Run:
    """Makes a run of one forward pass without gradients."""

    def infer() -> object:
        with torch.no_grad(), autocast(args):
            return forward()

    return infer


def autocast(args: argparse.Namespace) -> torch.autocast:
    return torch.autocast(torch.device(args.device).type, dtype=torch.bfloat16, enabled=args.amp)


def measure(runs: dict[str, Run], args: argparse.Namespace) -> dict[str, float]:
    """Measures the median milliseconds of each run. The runs take turns, so that other load meets all of them alike.

    The first two rounds do not count, because torch compiles and chooses algorithms in them.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(args.rounds + 2):
        for name, run in runs.items():
            seconds = clock(run, args.device)
            if turn >= 2:
                times[name].append(seconds * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def clock(run: Run, device: str) -> float:
    """Measures the seconds of one run."""
    wait = torch.cuda.synchronize if device.startswith('cuda') else (lambda: None)
    wait()
    start = time.perf_counter()
    run()
    wait()
    return time.perf_counter() - start


def peak_memory(run: Run, device: str) -> float:
    """Measures the peak memory of a run in MiB, above the memory at its start.

    It counts the memory that torch's allocator hands out: tensors and the scratch space of operators. On a GPU the
    allocator keeps these statistics. On a CPU they are the sum of the profiler's events.
    """
    if device.startswith('cuda'):
        torch.cuda.reset_peak_memory_stats(device)
        start = torch.cuda.memory_allocated(device)
        run()
        return (torch.cuda.max_memory_allocated(device) - start) / MEBIBYTE
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as trace:
        run()
    # the profiler's public averages tell how much each operator allocates, not how much is held at once
    changes = [event.nbytes() for event in trace.profiler.kineto_results.events() if event.name() == '[memory]']
    return max(accumulate(changes), default=0) / MEBIBYTE


def describe(what: str, args: argparse.Namespace) -> str:
    """Writes the first line of a report: the model, the input, the precision, the device and torch's version."""
    name = torch.cuda.get_device_name() if args.device.startswith('cuda') else f'CPU, {torch.get_num_threads()} threads'
    precision = 'bfloat16 autocast' if args.amp else 'float32'
    memory = ', channels last' if getattr(args, 'channels_last', False) else ''
    return (
        f'{what}, {args.batch} x 3 x {args.size} x {args.size}, {precision}{memory}, {name}, '
        f'torch {torch.__version__}, median of {args.rounds} rounds'
    )
