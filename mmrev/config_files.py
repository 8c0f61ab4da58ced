"""Finding and reading config files, the user's and mmrev's own."""

import difflib
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ConfigError, require_choice
from .hosts import HOSTS, head_of, require_host

if TYPE_CHECKING:
    from mmengine.config import Config


def find_config(path: str | Path) -> Path:
    """Finds a config file, for the command line and for the ``_base_`` of a config in any folder.

    Args:
        path: A file, the name of a config of mmrev (``configs/ran/x.py``, ``ran/x.py``, ``ran/x`` or ``x``), a part of
            one (``_base_/default_runtime``), or a config that an OpenMMLab package brings along
            (``mmseg::_base_/datasets/ade20k``).

    Returns:
        The absolute path.

    Raises:
        ConfigError: There is no such config.

    Example:
        >>> find_config('ran_n_r18_camvid').relative_to(config_root()).as_posix()
        'ran/ran_n_r18_camvid.py'
        >>> find_config('mmseg::_base_/datasets/ade20k').name
        'ade20k.py'
    """
    if Path(path).is_file():
        return Path(path).absolute()
    host, separator, name = str(path).partition('::')
    if separator and host != 'mmrev':
        return _find_hosted(host, name)
    return _find_own(name if separator else path)


def _find_hosted(host: str, name: str) -> Path:
    """Finds a config in an OpenMMLab package. mmengine's own ``_base_='mmseg::...'`` knows one owner of mmseg only."""
    require_choice('package', host, HOSTS)
    spec = find_spec(host)
    root = Path(next(iter(spec.submodule_search_locations or [])), '.mim/configs') if spec else Path(host)
    file = root / (name.removesuffix('.py') + '.py')
    if not file.is_file():
        raise ConfigError(f'config {host}::{name} not found: expected a file below {root}')
    return file


def _find_own(path: str | Path) -> Path:
    root = config_root()
    known = {str(file.relative_to(root)): file for file in sorted(root.rglob('*.py')) if '_base_' not in file.parts}
    wanted = Path(path).as_posix().removeprefix('configs/').removesuffix('.py') + '.py'
    if wanted.startswith('_base_/') and (root / wanted).is_file():
        return root / wanted
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
    package = Path(__file__).parent
    packaged = package / '.mim/configs'
    return packaged if packaged.is_dir() else package.parent / 'configs'


def read_config(path: str | Path, options: dict[str, Any] | None = None, needs: str | None = None) -> 'Config':
    """Reads the config that :func:`find_config` finds.

    Args:
        path: The file, or the name of a config of mmrev.
        options: Values that replace those in the config: ``{'model.backbone.depth': 18}``.
        needs: A key that the config must have.

    Raises:
        ConfigError: The config does not exist, cannot be read, or lacks the key.
        HostError: The OpenMMLab package of its default scope is missing or broken.

    Example:
        >>> read_config('ran_n_r18_camvid', {'model.backbone.depth': 50}).model.backbone.depth
        50
    """
    from mmengine.config import Config  # finding a config needs no mmengine

    path = find_config(path)
    try:
        cfg = Config.fromfile(path)
        cfg.merge_from_dict(options or {})
    except Exception as error:  # a config is code, and its author can mend it
        raise ConfigError(
            f'{path} with these --cfg-options cannot be read: {type(error).__name__}: {error}{_hint(error)}'
        ) from error
    if needs and not cfg.get(needs):
        raise ConfigError(f'{path} has no {needs}: give a config that has one')
    _require_host_of(cfg, path.name)
    return cfg


def _hint(error: Exception) -> str:
    """Names the way to inherit a packaged config, where the error comes from mmengine's ``package::name``."""
    text = str(error)
    if 'does not support to load mmrev' in text or 'mmsegmentation is not installed' in text:
        return ". Write _base_ = str(__import__('mmrev').find_config('ran/ran_n_r18_camvid'))"
    return ''


def _require_host_of(cfg: 'Config', wanted_by: str) -> None:
    name = cfg.get('default_scope')
    host = HOSTS.get(name)
    if host is None:
        return
    require_host(name, wanted_by, ops=host.operators or head_of(cfg).get('type') in host.operator_heads)
