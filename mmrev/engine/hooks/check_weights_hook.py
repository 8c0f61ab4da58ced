"""A check of every loaded file: how well its weights fit the model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, Runner
from torch import nn

from mmrev.arguments import Share
from mmrev.errors import CheckpointError
from mmrev.registry import HOOKS

from ..checkpoints import Match, StateDict, load_matching, read_checkpoint, state_dict_of
from ..deeplabv2_ports import convert_deeplabv2, is_deeplabv2_port
from ..safe_loading import forbid_code
from ..unwrap import unwrap

# parts of the keys that our backbones and fusions add to a network; files of the plain network lack them
ADDED = ('.addition.', '.reverse_attention.', '.fusion.')


@HOOKS.register_module()
class CheckWeightsHook(Hook):
    """Logs how many keys of every loaded file match the model, and stops if they are too few.

    mmengine itself loads the weights that fit, and goes on without the rest. Here:

    - A file that is tested or resumed must have all weights of the model. Testing does not need auxiliary heads.
    - A file that a training starts from (``load_from``, or ``init_cfg`` of type ``Pretrained``) must have a share of
      ``min_matched``. The attention that our backbones and fusions add does not count.
    - A PyTorch port of DeepLabv2 is converted first.
    - A file that holds code is refused, also where mmengine loads it.

    Args:
        min_matched: The smallest share of the model's keys, 0 to 1, that must be in the file of a training. The same
            share of the file's keys must be in the model for a test.

    Raises:
        CheckpointError: The file does not fit, cannot be read, holds code, or has no state of a training to resume.

    Example:
        >>> CheckWeightsHook(min_matched=0.9).priority
        'VERY_HIGH'
    """

    priority = 'VERY_HIGH'

    def __init__(self, min_matched: Share = 0.7) -> None:
        self.min_matched = min_matched

    def before_run(self, runner: Runner) -> None:
        forbid_code()
        if runner._load_from:
            read_checkpoint(runner._load_from)
        if not _trains(runner) or runner._resume:
            return
        for name, module, init in _pretrained(unwrap(runner.model)):
            # mmengine looks for no other key in these files
            found = state_dict_of(_read_start(init['checkpoint'], runner.cfg), keys=('state_dict',))
            prefix = f'{init["prefix"].rstrip(".")}.' if init.get('prefix') else ''
            state = {key.removeprefix(prefix): value for key, value in found.items() if key.startswith(prefix)}
            self._judge(runner, load_matching(module, state), f'{init["checkpoint"]} into {name or "the model"}')

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        what = str(runner._load_from or 'the checkpoint')
        if runner._resume and not {'meta', 'optimizer', 'message_hub'} <= checkpoint.keys():
            raise CheckpointError(
                f'{what} holds weights and no state of a training, so it cannot be resumed: start '
                'from it with --cfg-options load_from=<file>, without --resume'
            )
        state: StateDict = state_dict_of(checkpoint)
        if is_deeplabv2_port(state):
            state = convert_deeplabv2(state)
            checkpoint.clear()
            print_log('the checkpoint is a port of DeepLabv2: its names were converted', logger='current')
        checkpoint['state_dict'] = state
        self._judge(runner, load_matching(unwrap(runner.model), state), what, runner._resume or not _trains(runner))

    def _judge(self, runner: Runner, match: Match, what: str, whole: bool = False) -> None:
        print_log(f'weights: {what}: {match}', logger='current')
        missing = [name for name in match.missing if not name.startswith('auxiliary_head.') or runner._resume]
        if whole and (missing or match.reshaped or len(match.matched) < self.min_matched * match.offered):
            raise CheckpointError(
                f'{what} is of another model: {match}. {_example(match)} Give the config that it was trained with'
            )
        added = [name for name in match.missing if any(part in f'.{name}' for part in ADDED)]
        if not whole and len(match.matched) < self.min_matched * (match.total - len(added)):
            raise CheckpointError(
                f'{what}: only {match}. {_example(match)} Give a file of this architecture, or lower '
                f'min_matched={self.min_matched} of mmrev.CheckWeightsHook'
            )


def _trains(runner: Runner) -> bool:
    # Runner.train builds its loop before it calls the first hook; Runner.test leaves the config of the loop
    return isinstance(runner._train_loop, BaseLoop)


def _pretrained(model: nn.Module) -> Iterator[tuple[str, nn.Module, dict]]:
    for name, module in model.named_modules():
        init = getattr(module, 'init_cfg', None)
        for entry in init if isinstance(init, list) else [init]:
            if isinstance(entry, dict) and entry.get('type') == 'Pretrained':
                yield name, module, entry


def _read_start(file: str, cfg: Config) -> dict:
    path = Path(file)
    if '://' in file or path.exists():
        return read_checkpoint(file)
    # the work dir of a training has the name of its config
    train = f'train configs/*/{path.parent.name}.py first, or ' if 'work_dirs' in path.parts else ''
    option = next(_keys_of(file, dict(model=cfg.get('model'))), 'model.backbone.init_cfg.checkpoint')
    raise CheckpointError(
        f'{file} is missing: the training starts from it. To mend it, {train}give another file with '
        f'--cfg-options {option}=<file>'
    )


def _keys_of(value: str, node: Any) -> Iterator[str]:
    """Yields the keys of a value in a config, as ``--cfg-options`` takes them."""
    if isinstance(node, list):
        node = dict(enumerate(node))
    if not isinstance(node, dict):
        return
    for key, part in node.items():
        if part == value:
            yield str(key)
        else:
            yield from (f'{key}.{rest}' for rest in _keys_of(value, part))


def _example(match: Match) -> str:
    if match.reshaped:
        return f'For one, {match.reshaped[0]} (another number of classes, or another width?).'
    names = match.missing or match.left_over
    return f'For one, {names[0]} is {"not in the file" if match.missing else "not in the model"}.' if names else ''
