"""Finding and reading a config, and checking that it can be built here."""

import argparse
import difflib
import os
from importlib.util import find_spec
from pathlib import Path

from mmengine.config import Config

import mmrev
from mmrev.errors import ConfigError, HostError
from mmrev.hosts import HOSTS, head_of, require_host

from .processes import use_cpus

# hooks that every run gets
HOOKS = ('CheckWeightsHook', 'GracefulStopHook')


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
    path = find_config(args.config)
    try:
        cfg = Config.fromfile(path)
        cfg.merge_from_dict(args.cfg_options or {})
    except Exception as error:  # a config is code, and its author can mend it
        raise ConfigError(f'{path} with these --cfg-options cannot be read: {type(error).__name__}: {error}') from error
    if needs and not cfg.get(needs):
        raise ConfigError(f'{path} has no {needs}: give a config that has one')
    require_host_of(cfg, path.name)
    cfg.work_dir = getattr(args, 'work_dir', None) or cfg.get('work_dir') or str(Path('work_dirs', path.stem))
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


def find_config(path: str) -> Path:
    """Finds a file of that path, or the config of mmrev with that name: ``configs/ran/x.py``, ``ran/x.py`` or ``x``.

    Raises:
        ConfigError: There is no such config.

    Example:
        >>> find_config('ran_n_r18_camvid').relative_to(config_root()).as_posix()
        'ran/ran_n_r18_camvid.py'
    """
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
    """Returns the folder of mmrev's configs: in the installed package, or beside it in a checkout."""
    package = Path(mmrev.__file__).parent
    packaged = package / '.mim/configs'
    return packaged if packaged.is_dir() else package.parent / 'configs'


def require_host_of(cfg: Config, wanted_by: str) -> None:
    """Checks that the OpenMMLab package of a config's default scope works.

    Raises:
        HostError: It is missing or broken.
    """
    name = cfg.get('default_scope')
    host = HOSTS.get(name)
    if host is None:
        return
    require_host(name, wanted_by, ops=host.operators or head_of(cfg).get('type') in host.operator_heads)


def _ensure_hook(cfg: Config, name: str) -> None:
    hooks = cfg.get('custom_hooks') or []
    if not any(hook['type'] in (name, f'mmrev.{name}') for hook in hooks):
        cfg.custom_hooks = [*hooks, dict(type=f'mmrev.{name}')]
