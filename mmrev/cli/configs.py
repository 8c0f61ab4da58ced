"""Reading the config of a command, and checking that it can be built here."""

import argparse
import os
from importlib.util import find_spec
from pathlib import Path

from mmengine.config import Config

from mmrev.config_files import read_config
from mmrev.errors import HostError

from .processes import use_cpus

# hooks that every run gets
HOOKS = ('CheckWeightsHook', 'ExactResumeHook', 'FiniteLossHook', 'GracefulStopHook', 'LabelCheckHook', 'WorkDirHook')


def load_config(args: argparse.Namespace, needs: str | None = None) -> Config:
    """Reads the config that the arguments name, and applies their options.

    Args:
        args: ``config``, ``cfg_options``, and if the command starts a Runner also ``work_dir``, ``launcher`` and
            ``local_rank``.
        needs: A key that the config must have.

    Raises:
        ConfigError: The config does not exist, cannot be read, or lacks the key.
        HostError: The OpenMMLab package of its default scope is missing or broken.

    Example:
        >>> load_config(argparse.Namespace(config='ran_n_r18_camvid', cfg_options=None)).work_dir
        'work_dirs/ran_n_r18_camvid'
    """
    cfg = read_config(args.config, args.cfg_options, needs)
    cfg.work_dir = (
        getattr(args, 'work_dir', None) or cfg.get('work_dir') or str(Path('work_dirs', Path(cfg.filename).stem))
    )
    cfg.launcher = getattr(args, 'launcher', 'none')
    os.environ.setdefault('LOCAL_RANK', str(getattr(args, 'local_rank', 0)))
    use_cpus(cfg)
    for hook in HOOKS:
        _ensure_hook(cfg, hook)
    return cfg


def require_metrics(cfg: Config) -> None:
    """Checks before the work that the test metric can be computed after it.

    Raises:
        HostError: The metric needs a package that is missing.

    Example:
        >>> require_metrics(Config(dict(test_evaluator=dict(type='IoUMetric'))))
    """
    if 'CityscapesMetric' in str(cfg.get('test_evaluator')) and find_spec('cityscapesscripts') is None:
        raise HostError('the files for the test server of Cityscapes need a package: pip install cityscapesscripts')


def _ensure_hook(cfg: Config, name: str) -> None:
    hooks = cfg.get('custom_hooks') or []
    if not any(hook['type'] in (name, f'mmrev.{name}') for hook in hooks):
        cfg.custom_hooks = [*hooks, dict(type=f'mmrev.{name}')]
