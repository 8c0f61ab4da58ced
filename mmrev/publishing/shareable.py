"""The parts of a trained model that others get: its weights, its config without the author's paths, and its classes."""

import os
from collections import OrderedDict
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import Tensor

from mmrev.engine.checkpoints import state_dict_of
from mmrev.engine.plain_config import read_plain
from mmrev.errors import CheckpointError, ConfigError
from mmrev.hosts import HOSTS, PACKAGES, owners
from mmrev.version import __version__

# what a run adds to a config, and what only makes sense on the author's machine
OF_A_RUN = ('work_dir', 'load_from', 'resume', 'launcher', 'auto_resume')


def weights_of(checkpoint: Mapping[str, Any], name: str) -> OrderedDict[str, Tensor]:
    """Returns the weights that mmengine's test uses.

    With an ``EMAHook``, mmengine saves the averaged weights as ``state_dict`` and the others as ``ema_state_dict``.

    Raises:
        CheckpointError: There are no weights.

    Example:
        >>> import torch
        >>> list(weights_of({'state_dict': {'weight': torch.ones(1)}, 'optimizer': {}}, 'a.pth'))
        ['weight']
    """
    state = state_dict_of(checkpoint)
    if not state:
        raise CheckpointError(f'{name} holds no weights: expected a checkpoint of a training')
    return state


def config_in(checkpoint: Mapping[str, Any], name: str) -> Config:
    """Reads the config that mmengine saved in a checkpoint. It is not run.

    Raises:
        ConfigError: There is none, or it holds more than plain values.
    """
    text = (checkpoint.get('meta') or {}).get('cfg')
    if not isinstance(text, str):
        raise ConfigError(f'{name} holds no config: give the config before the checkpoint')
    cfg = read_plain(text, f'the config in {name}')
    if cfg.get('default_scope') not in HOSTS or not cfg.get('test_dataloader'):
        raise ConfigError(
            f'the config in {name} has no test_dataloader, or no default_scope of {", ".join(HOSTS)}: give a config '
            'that has both before the checkpoint'
        )
    return cfg


def without_paths(cfg: Config) -> Config:
    """Copies a config without the settings of a run. Of an absolute path only the last part stays.

    Example:
        >>> cfg = Config(dict(work_dir='work_dirs/a', data=dict(data_root='/home/me/CamVid', prefix='images/val')))
        >>> without_paths(cfg).to_dict()
        {'data': {'data_root': 'CamVid', 'prefix': 'images/val'}}
    """
    return Config({key: _shortened(value) for key, value in cfg.to_dict().items() if key not in OF_A_RUN})


def _shortened(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _shortened(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(_shortened(part) for part in node)
    return Path(node).name if isinstance(node, str) and os.path.isabs(node) else node


def versions() -> dict[str, str]:
    """Returns the versions of mmrev, of torch, and of the OpenMMLab packages that are here.

    Example:
        >>> {'mmrev', 'torch'} <= versions().keys()
        True
    """
    found = {'mmrev': __version__, 'torch': metadata.version('torch')}
    for package in PACKAGES:
        for distribution in owners(package):
            found[distribution] = metadata.version(distribution)
    return found
