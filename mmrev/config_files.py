"""Finding and reading config files, the user's and mmrev's own."""

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ConfigError
from .hosts import HOSTS, head_of, require_host

if TYPE_CHECKING:
    from mmengine.config import Config


def find_config(path: str | Path) -> Path:
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
        raise ConfigError(f'{path} with these --cfg-options cannot be read: {type(error).__name__}: {error}') from error
    if needs and not cfg.get(needs):
        raise ConfigError(f'{path} has no {needs}: give a config that has one')
    _require_host_of(cfg, path.name)
    return cfg


def _require_host_of(cfg: 'Config', wanted_by: str) -> None:
    name = cfg.get('default_scope')
    host = HOSTS.get(name)
    if host is None:
        return
    require_host(name, wanted_by, ops=host.operators or head_of(cfg).get('type') in host.operator_heads)
