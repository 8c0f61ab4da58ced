"""What all commands share: finding and reading a config, and errors in one line."""

import argparse
import difflib
import errno
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import torch
from mmengine.config import Config, DictAction

import mmrev
from mmrev.engine.checkpoints import forbid_code
from mmrev.errors import ConfigError, HostError, UserError
from mmrev.hosts import HOSTS, require_host

INTERRUPTED = 130
# of mmseg, which need mmcv's compiled operators
HEADS_WITH_OPERATORS = ('CCHead', 'PSAHead')
FULL_DISK = ('No space left', 'PytorchStreamWriter failed writing')
# of OpenCV through mmcv, and of Pillow
UNREADABLE = (
    'failed to load image',
    'imdecode',
    'cannot identify image file',
    'image file is truncated',
    'broken data stream',
    'Truncated File Read',
)


def run(
    command: Callable[[argparse.Namespace], None], parser: argparse.ArgumentParser, argv: Sequence[str] | None
) -> int:
    """Runs a command and turns what a user can mend into one line on stderr; returns the exit status."""
    try:
        args = parser.parse_args(argv)
    except (AssertionError, ValueError):  # mmengine's DictAction
        parser.error('--cfg-options takes KEY=VALUE, such as model.backbone.depth=50 or "a.b=[1,2]"')
    warnings.filterwarnings('ignore', category=UserWarning, module='mmcv|mmseg|mmpretrain|mmengine')
    forbid_code()
    try:
        command(args)
        _part()
    except KeyboardInterrupt as stop:
        if is_main_rank():
            print(f'mmrev: stopped {stop}'.rstrip(), file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if (line := _one_line(error)) is None:
            raise
        print(f'mmrev: error: {line}', file=sys.stderr)
        return 1
    return 0


def positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f'{text}: expected 1 or more')
    return number


def config_parser(command: str, description: str, runs: bool = True) -> argparse.ArgumentParser:
    """A parser with the options that mm users expect of every tool; ``runs``: of one that starts a Runner."""
    parser = argparse.ArgumentParser(prog=f'mmrev {command}', description=description)
    parser.add_argument('config', help='a config file; one of ours is also found by its path below configs/')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='overrides in the config: model.backbone.depth=50 a.b="[1,2]"',
    )
    if not runs:
        parser.set_defaults(work_dir=None, launcher='none', local_rank=0)
        return parser
    parser.add_argument('--work-dir', help='where logs and checkpoints go; work_dirs/<name of the config> by default')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    return parser


def load_config(args: argparse.Namespace, needs: str | None = None) -> Config:
    """Reads the config, applies the options, and checks that what it is built from is installed.

    Raises:
        ConfigError: There is no such config, it cannot be read, or ``needs`` is not in it.
        HostError: The OpenMMLab package of its default scope is missing or broken.
    """
    path = find_config(args.config)
    try:
        cfg = Config.fromfile(path)
        cfg.merge_from_dict(args.cfg_options or {})
    except Exception as error:  # a config is code, and its author the one who can mend it
        raise ConfigError(f'{path} with these --cfg-options cannot be read: {type(error).__name__}: {error}') from error
    if needs and not cfg.get(needs):
        raise ConfigError(f'{path} has no {needs}: give a config that has one')
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or str(Path('work_dirs', path.stem))
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    scope = cfg.get('default_scope')
    if scope in HOSTS:
        require_host(scope, path.name, ops=scope == 'mmdet' or _head_of(cfg) in HEADS_WITH_OPERATORS)
    for hook in ('CheckWeightsHook', 'GracefulStopHook'):
        _ensure_hook(cfg, hook)
    if args.launcher != 'none' and not torch.cuda.is_available():
        _use_cpus(cfg)
    return cfg


def require_metrics(cfg: Config) -> None:
    """Says before the work and not after it that the test's metric cannot be had.

    Raises:
        HostError: It needs a package that is not there.
    """
    if 'CityscapesMetric' in str(cfg.get('test_evaluator')) and find_spec('cityscapesscripts') is None:
        raise HostError('the files for the test server of Cityscapes need a package: pip install cityscapesscripts')


def find_config(path: str) -> Path:
    """The path itself, or the packaged config of that name: ``configs/ran/x.py``, ``ran/x.py`` or ``x``."""
    if Path(path).is_file():
        return Path(path)
    root = config_root()
    known = {str(file.relative_to(root)): file for file in sorted(root.rglob('*.py')) if '_base_' not in file.parts}
    wanted = Path(path).as_posix().removeprefix('configs/').removesuffix('.py') + '.py'
    for name, file in known.items():
        if wanted in (name, file.name):
            return file
    close = difflib.get_close_matches(wanted, [*known, *(file.name for file in known.values())], 1)
    raise ConfigError(
        f'config {path} not found below {Path.cwd()} nor among the {len(known)} of mmrev'
        + (f': did you mean {close[0]}?' if close else '')
    )


def config_root() -> Path:
    """The folder of the configs: inside the installed package, or beside it in a checkout."""
    package = Path(mmrev.__file__).parent
    packaged = package / '.mim/configs'
    return packaged if packaged.is_dir() else package.parent / 'configs'


def is_main_rank() -> bool:
    """Whether this process may print, before and after the process group exists."""
    ranks = (os.environ.get(name) for name in ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'))
    return int(next(filter(None, ranks), 0)) == 0


def _head_of(cfg: Config) -> str | None:
    head = (cfg.get('model') or {}).get('decode_head')
    return head.get('type') if isinstance(head, dict) else None


def _ensure_hook(cfg: Config, name: str) -> None:
    hooks = cfg.get('custom_hooks') or []
    if not any(hook['type'] in (name, f'mmrev.{name}') for hook in hooks):
        cfg.custom_hooks = [*hooks, dict(type=f'mmrev.{name}')]


def _use_cpus(cfg: Config) -> None:
    """Processes without GPUs: mmengine's own way of starting and of wrapping the model asks for one GPU each."""
    if cfg.launcher == 'pytorch' and not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )


def _part() -> None:
    # a process that ends while gloo's threads live is aborted now and then
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def _one_line(error: Exception) -> str | None:
    """The message of an error that a user can mend, None for any other (a bug)."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error).strip()
    if text.startswith('Caught '):
        # out of a data loader's worker: its traceback, and in the last line the type and the message
        text = text.splitlines()[-1].split(f'{type(error).__name__}: ', 1)[-1]
    text = ' '.join(text.split())
    if isinstance(error, UserError):
        return text
    if isinstance(error, torch.OutOfMemoryError):
        return (
            'out of GPU memory: halve train_dataloader.batch_size and double optim_wrapper.accumulative_counts '
            '(--cfg-options), or --amp'
        )
    if getattr(error, 'errno', None) == errno.ENOSPC or any(sign in text for sign in FULL_DISK):
        return 'the disk is full: free some space and --resume; the last whole checkpoint is kept'
    if any(sign in text for sign in UNREADABLE):
        return f'{text}: an image or mask cannot be read; `mmrev check-data <config>` looks at all of them'
    if text.startswith('DataLoader worker') and 'killed by signal' in text:
        return f'{text} It was told to end, or memory ran out: --resume goes on from the last checkpoint'
    if isinstance(error, OSError):
        return f'{text}: check the path; of a data set, `mmrev check-data <config>` looks at all files'
    if isinstance(error, KeyError) and 'is not in the' in text and 'registry' in text:
        return f'{text.split(". ")[0]}: check its spelling in the config, or add custom_imports of its module'
    if isinstance(error, TypeError) and '__init__() got an unexpected keyword argument' in text:
        return f'{text}: check the spelling of this key in the config'
    return None
