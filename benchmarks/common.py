"""What the benchmarks share: options, what is run, the clock, the memory and the first line of the report."""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

Run = Callable[[], object]
MEBIBYTE = 2**20


def options(description: str, batch: tuple[int, int], size: int) -> argparse.ArgumentParser:
    """The options of all benchmarks.

    Args:
        description: Of the benchmark.
        batch: Default number of images on a GPU and on a CPU.
        size: Default height and width of the images.
    """
    gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cuda' if gpu else 'cpu')
    parser.add_argument('--batch', type=int, default=batch[0 if gpu else 1])
    parser.add_argument('--size', type=int, default=size, help='height and width of the images')
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--amp', action='store_true', help='bfloat16 autocast')
    return parser


def training_step(loss: Callable[[], Tensor], parameters: Iterable[nn.Parameter], args: argparse.Namespace) -> Run:
    """Forward, backward and SGD."""
    optimizer = torch.optim.SGD(parameters, lr=1e-4, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        with autocast(args):
            value = loss()
        value.backward()
        optimizer.step()

    return step


def inference(forward: Callable[[], object], args: argparse.Namespace) -> Run:
    def infer() -> object:
        with torch.no_grad(), autocast(args):
            return forward()

    return infer


def autocast(args: argparse.Namespace) -> torch.autocast:
    return torch.autocast(torch.device(args.device).type, dtype=torch.bfloat16, enabled=args.amp)


def measure(runs: dict[str, Run], args: argparse.Namespace) -> dict[str, float]:
    """Median milliseconds of each, after two runs that do not count (compilation, choice of algorithms)."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(args.rounds + 2):
        for name, run in runs.items():
            seconds = clock(run, args.device)
            if turn >= 2:
                times[name].append(seconds * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def clock(run: Run, device: str) -> float:
    wait = torch.cuda.synchronize if device.startswith('cuda') else (lambda: None)
    wait()
    start = time.perf_counter()
    run()
    wait()
    return time.perf_counter() - start


def peak_memory(run: Run, device: str) -> float:
    """MiB above the start at the worst moment of a run, of what torch's allocator hands out: tensors and the operators'
    scratch space. On a GPU these are the allocator's own statistics, on a CPU the sum of the profiler's events."""
    if device.startswith('cuda'):
        torch.cuda.reset_peak_memory_stats(device)
        start = torch.cuda.memory_allocated(device)
        run()
        return (torch.cuda.max_memory_allocated(device) - start) / MEBIBYTE
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as trace:
        run()
    # the profiler's public averages tell what each operator allocates, not how much is held at once
    changes = [event.nbytes() for event in trace.profiler.kineto_results.events() if event.name() == '[memory]']
    return max(accumulate(changes), default=0) / MEBIBYTE


def describe(what: str, args: argparse.Namespace) -> str:
    name = torch.cuda.get_device_name() if args.device.startswith('cuda') else f'CPU, {torch.get_num_threads()} threads'
    precision = 'bfloat16 autocast' if args.amp else 'float32'
    memory = ', channels last' if getattr(args, 'channels_last', False) else ''
    return (
        f'{what}, {args.batch} x 3 x {args.size} x {args.size}, {precision}{memory}, {name}, '
        f'torch {torch.__version__}, median of {args.rounds} rounds'
    )
