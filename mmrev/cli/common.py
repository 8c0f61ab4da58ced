"""What all commands share: finding and reading a config, and errors in one line."""
import argparse
import difflib
import errno
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from mmengine.config import Config, DictAction

import mmrev
from mmrev.engine.checkpoints import forbid_code
from mmrev.errors import ConfigError, UserError
from mmrev.hosts import DISTRIBUTIONS, require_host

INTERRUPTED = 130


def run(command: Callable[[argparse.Namespace], None], parser: argparse.ArgumentParser,
        argv: Sequence[str] | None) -> int:
    """Runs a command and turns what a user can mend into one line on stderr; returns the exit status."""
    args = parser.parse_args(argv)
    warnings.filterwarnings('ignore', category=UserWarning, module='mmcv|mmseg|mmpretrain|mmengine')
    forbid_code()
    try:
        command(args)
    except KeyboardInterrupt:
        print('mmrev: stopped; the checkpoints written so far are kept, --resume goes on from the last', file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if (line := _one_line(error)) is None:
            raise
        print(f'mmrev: error: {line}', file=sys.stderr)
        return 1
    return 0


def config_parser(description: str) -> argparse.ArgumentParser:
    """A parser with the options that mm users expect of every tool."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('config', help='a config file; one of ours is also found by its path below configs/')
    parser.add_argument('--work-dir', help='where logs and checkpoints go; work_dirs/<name of the config> by default')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help='overrides in the config: model.backbone.depth=50 a.b="[1,2]"')
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
    return parser


def load_config(args: argparse.Namespace) -> Config:
    """Reads the config, applies the options, and checks that what it is built from is installed.

    Raises:
        ConfigError: There is no such config.
        HostError: The OpenMMLab package of its default scope is missing or broken.
    """
    path = find_config(args.config)
    cfg = Config.fromfile(path)
    cfg.launcher = args.launcher
    cfg.merge_from_dict(args.cfg_options or {})
    cfg.work_dir = args.work_dir or cfg.get('work_dir') or str(Path('work_dirs', path.stem))
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    scope = cfg.get('default_scope')
    if scope in DISTRIBUTIONS:
        require_host(scope, path.name, ops=scope == 'mmdet')
    backend = cfg.get('env_cfg', {}).get('dist_cfg', {})
    if not torch.cuda.is_available() and backend.get('backend') == 'nccl':
        backend['backend'] = 'gloo'
    for hook in ('CheckWeightsHook', 'GracefulStopHook'):
        _ensure_hook(cfg, hook)
    return cfg


def find_config(path: str) -> Path:
    """The path itself, or the packaged config of that name: ``configs/ran/x.py``, ``ran/x.py`` or ``x``."""
    if Path(path).is_file():
        return Path(path)
    root = config_root()
    known = {str(file.relative_to(root)): file for file in sorted(root.rglob('*.py')) if '_base_' not in file.parts}
    wanted = path.removeprefix('configs/').removesuffix('.py') + '.py'
    for name, file in known.items():
        if wanted in (name, file.name):
            return file
    close = difflib.get_close_matches(wanted, [*known, *(file.name for file in known.values())], 1)
    raise ConfigError(f'config {path} not found below {Path.cwd()} nor among the {len(known)} of mmrev' +
                      (f': did you mean {close[0]}?' if close else ''))


def config_root() -> Path:
    """The folder of the configs: inside the installed package, or beside it in a checkout."""
    package = Path(mmrev.__file__).parent
    packaged = package / '.mim/configs'
    return packaged if packaged.is_dir() else package.parent / 'configs'


def is_main_rank() -> bool:
    """Whether this process may print, before and after the process group exists."""
    return int(os.environ.get('RANK', os.environ.get('SLURM_PROCID', 0))) == 0


def _ensure_hook(cfg: Config, name: str) -> None:
    hooks = cfg.get('custom_hooks') or []
    if not any(hook['type'] in (name, f'mmrev.{name}') for hook in hooks):
        cfg.custom_hooks = [*hooks, dict(type=f'mmrev.{name}')]


def _one_line(error: Exception) -> str | None:
    """The message of an error that a user can mend, None for any other (a bug)."""
    last = str(error).strip().splitlines()[-1] if str(error).strip() else ''
    if isinstance(error, UserError):
        # an error out of a data loader's worker carries that worker's traceback before its message
        return last.split(f'{type(error).__name__}: ', 1)[-1]
    if 'failed to load image' in last:
        return f'{last.split("AssertionError: ")[-1]}: it cannot be read; `mmrev check-data <config>` finds all such files'
    if isinstance(error, torch.OutOfMemoryError):
        return ('out of GPU memory: halve train_dataloader.batch_size and double optim_wrapper.accumulative_counts '
                '(--cfg-options), or --amp')
    if isinstance(error, OSError) and error.errno == errno.ENOSPC or 'No space left' in last:
        return 'the disk is full: free some space and --resume; the last whole checkpoint is kept'
    return None
