"""Everything that needs a GPU, in slices: tests, benchmarks, the studies, and trainings of RANet on CamVid.

    make gpu OUT=gpu_results DATA=<folder> WEIGHTS=<folder>    # the folders are those of `make evidence`
    python -m evidence.gpu --out gpu_results --seconds 540     # without data: tests and benchmarks alone

Run it from the checkout. Each slice is a command of its own. Its output is in OUT/<slice>/log. After ``--seconds``, the
commands that still run are told to stop, and trainings save their state. The same call goes on. Slices that have ended
well are not repeated. Tests and benchmarks run alone, one after another. Then studies and trainings share the GPU,
``--jobs`` at a time. The exit status is 0 when everything is done, 3 when time ran out, and 1 when a slice failed.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from prettytable import PrettyTable

from mmrev.reproduction.commands import Command, like_ctrl_c

from .studies import STUDIES

SEEDS = (0, 1, 2)
TRAININGS = {'fcn': 'ranet/fcn_r18_camvid', 'ranet': 'ranet/ranet_r18_camvid'}
# ResNet-50 in Caffe's style in place of ResNet-18
RESNET50 = (
    'model.backbone.depth=50',
    'model.backbone.style=caffe',
    'model.decode_head.in_channels=2048',
    'model.decode_head.channels=512',
    'model.data_preprocessor.mean=[103.939,116.779,123.68]',
    'model.data_preprocessor.std=[1.0,1.0,1.0]',
    'model.data_preprocessor.bgr_to_rgb=False',
)
DONE, FAILED, STOPPED, WAITING = 'done', 'failed', 'stopped', 'waiting'


@dataclass(frozen=True)
class Slice:
    """A command, and whether it needs the GPU for itself.

    Args:
        name: The name of its folder.
        argv: The command, without the interpreter.
        alone: Whether nothing else runs beside it.
    """

    name: str
    argv: tuple[str, ...]
    alone: bool = True


class OutOfTime(Exception):
    """The time of this call is over, or the user stops it."""


def slices(out: Path, data: Path | None, weights: Path | None, device: str) -> list[Slice]:
    """Returns all slices. Studies and trainings need data and weights."""
    found = [
        Slice('tests', ('-m', 'pytest', '-q', '-rs', 'tests/gpu', 'tests/models/layers/regions/test_kernels.py')),
        *(_benchmark(name, device) for name in ('ra_net', 'scale_attention', 'ranet')),
        *(_benchmark(name, device, '--amp') for name in ('ra_net', 'scale_attention', 'ranet')),
        _benchmark('ranet', device, '--size', '129', name='ranet_129'),
    ]
    if data and weights:
        found += [_study(name, out, data, weights, device) for name in STUDIES]
        found += [_training(head, seed, out, data, weights) for seed in SEEDS for head in TRAININGS]
    return found


def _benchmark(script: str, device: str, *options: str, name: str = '') -> Slice:
    name = name or '_'.join([script, *(option.strip('-') for option in options)])
    return Slice(name, (f'benchmarks/{script}.py', '--device', device, *options))


def _study(name: str, out: Path, data: Path, weights: Path, device: str) -> Slice:
    folders = ('--data-root', data, '--weights', weights, '--results', out / 'evidence', '--work-dir', out / 'work')
    return Slice(name, ('-m', 'evidence', '--only', name, '--device', device, *map(str, folders)), alone=False)


def _training(head: str, seed: int, out: Path, data: Path, weights: Path) -> Slice:
    name = f'camvid_{head}_{seed}'
    loaders = [f'{split}_dataloader.dataset.data_root={data / "camvid"}' for split in ('train', 'val', 'test')]
    start = f'model.backbone.init_cfg.checkpoint={weights / "resnet50_caffe_in1k.pth"}'
    return Slice(
        name,
        (
            *('-m', 'mmrev', 'train', TRAININGS[head], '--resume', '--work-dir', str(out / name / 'work')),
            *('--cfg-options', f'randomness.seed={seed}', start, *RESNET50, *loaders),
        ),
        alone=False,
    )


class Runner:
    """Runs slices until the time is over.

    Args:
        out: The folder of all that is written.
        seconds: The time of this call.
    """

    def __init__(self, out: Path, seconds: float) -> None:
        self.out, self.deadline = out, time.monotonic() + seconds
        self.stopping = threading.Event()

    def __call__(self, each: Slice) -> None:
        """Runs a slice that is not done. Its state is in OUT/<slice>/state.json."""
        if self.state(each) == DONE or self._is_over():
            return
        began = time.monotonic()
        try:
            status = Command().run([sys.executable, '-W', 'ignore', *each.argv], self.log(each), self._watch)
            state = FAILED if status else DONE
        except OutOfTime:
            state = STOPPED
        seconds = self._kept(each).get('seconds', 0) + time.monotonic() - began
        text = json.dumps(dict(state=state, seconds=round(seconds, 1)))
        (self.out / each.name / 'state.json').write_text(text)
        print(f'{each.name}: {state}', flush=True)

    def run(self, found: Sequence[Slice], jobs: int) -> None:
        """Runs all slices: first those that need the GPU for themselves."""
        for each in found:
            if each.alone:
                self(each)
        with ThreadPoolExecutor(jobs) as pool:
            try:
                list(pool.map(self, [each for each in found if not each.alone]))
            except KeyboardInterrupt:
                self.stopping.set()
                raise

    def state(self, each: Slice) -> str:
        return self._kept(each).get('state', WAITING)

    def log(self, each: Slice) -> Path:
        return self.out / each.name / 'log'

    def table(self, found: Sequence[Slice]) -> PrettyTable:
        """The state of all slices."""
        table = PrettyTable(['slice', 'state', 'seconds', 'log'])
        table.align = 'l'
        for each in found:
            table.add_row([each.name, self.state(each), self._kept(each).get('seconds', ''), self.log(each)])
        return table

    def _watch(self) -> None:
        if self._is_over():
            raise OutOfTime

    def _is_over(self) -> bool:
        return self.stopping.is_set() or time.monotonic() > self.deadline

    def _kept(self, each: Slice) -> dict:
        path = self.out / each.name / 'state.json'
        return json.loads(path.read_text()) if path.exists() else {}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog='evidence.gpu', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--out', type=Path, required=True, help='the folder of logs, tables and checkpoints')
    parser.add_argument('--data-root', type=Path, help='holds camvid/ and tiny_imagenet50/')
    parser.add_argument('--weights', type=Path, help='holds resnet50_caffe_in1k.pth and mobilenet_v2_in1k.pth')
    parser.add_argument('--seconds', type=float, default=540, help='the time of this call (default: 540)')
    parser.add_argument('--jobs', type=int, default=3, help='studies and trainings at a time (default: 3)')
    parser.add_argument('--only', nargs='+', help='some slices')
    parser.add_argument('--device', default='cuda')
    args = parser.parse_args(argv)
    if args.device.startswith('cuda') and not torch.cuda.is_available():
        print('FAILED: torch sees no GPU here: see `mmrev doctor`', file=sys.stderr)
        return 1
    out, data, weights = (path and path.absolute() for path in (args.out, args.data_root, args.weights))
    found = slices(out, data, weights, args.device)
    unknown = set(args.only or ()) - {each.name for each in found}
    if unknown:
        parser.error(f'--only {" ".join(unknown)}: expected some of {" ".join(each.name for each in found)}')
    found = [each for each in found if not args.only or each.name in args.only]
    runner = Runner(out, args.seconds)
    try:
        with like_ctrl_c():
            runner.run(found, args.jobs)
    except KeyboardInterrupt:
        print('stopped (the same command goes on)', file=sys.stderr)
        return 130
    print(runner.table(found))
    states = {runner.state(each) for each in found}
    return 1 if FAILED in states else 3 if states & {STOPPED, WAITING} else 0


if __name__ == '__main__':
    sys.exit(main())
