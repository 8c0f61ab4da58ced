from collections.abc import Iterator

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from mmrev.errors import CheckpointError
from mmrev.registry import HOOKS

from ..checkpoints import Match, match_keys, read_checkpoint, state_dict_of
from ..deeplabv2 import convert_deeplabv2, is_deeplabv2_port


@HOOKS.register_module()
class CheckWeightsHook(Hook):
    """Says how many keys of every loaded file matched the model, and stops when too few did.

    mmengine itself loads what fits and goes on. Here a file that is tested or resumed must fit whole; one that a
    training starts from (``load_from``, or ``init_cfg`` of type ``Pretrained``) must cover ``min_matched`` of the keys
    of what it is loaded into. A PyTorch port of DeepLabv2 is converted on the way.

    Args:
        min_matched: The least share of the model's keys, 0 to 1, that a training may start from.

    Raises:
        CheckpointError: The file does not fit, cannot be read, or holds code.
    """

    priority = 'VERY_HIGH'

    def __init__(self, min_matched: float = 0.7) -> None:
        self.min_matched = min_matched

    def before_run(self, runner: Runner) -> None:
        if not _trains(runner) or runner._resume:
            return
        for name, module, init in _pretrained(runner.model):
            state = state_dict_of(read_checkpoint(init['checkpoint']))
            prefix = f"{init['prefix'].rstrip('.')}." if init.get('prefix') else ''
            state = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
            self._judge(match_keys(module.state_dict(), state), f'{init["checkpoint"]} into {name or "the model"}')

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        state = state_dict_of(checkpoint)
        if is_deeplabv2_port(state):
            state = convert_deeplabv2(state)
            checkpoint.clear()
            print_log('the checkpoint is a port of DeepLabv2: its names were converted', logger='current')
        checkpoint['state_dict'] = state
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        whole = runner._resume or not _trains(runner)
        self._judge(match_keys(model.state_dict(), state), str(runner._load_from or 'the checkpoint'), whole)

    def _judge(self, match: Match, what: str, whole: bool = False) -> None:
        print_log(f'weights: {what}: {match}', logger='current')
        if whole and (match.missing or match.reshaped):
            raise CheckpointError(f'{what} is of another model: {match}. {_example(match)} Give the config that it was '
                                  'trained with')
        if not whole and len(match.matched) < self.min_matched * match.total:
            raise CheckpointError(f'{what}: only {match}. {_example(match)} Give a file of this architecture, or lower '
                                  f'min_matched={self.min_matched} of mmrev.CheckWeightsHook')


def _trains(runner: Runner) -> bool:
    # Runner.train builds its loop before the first hook is called, Runner.test leaves the config as it is
    return hasattr(runner._train_loop, 'max_iters')


def _pretrained(model: nn.Module) -> Iterator[tuple[str, nn.Module, dict]]:
    for name, module in model.named_modules():
        init = getattr(module, 'init_cfg', None)
        for entry in init if isinstance(init, list) else [init]:
            if isinstance(entry, dict) and entry.get('type') == 'Pretrained':
                yield name, module, entry


def _example(match: Match) -> str:
    if match.reshaped:
        return f'For one, {match.reshaped[0]} (another number of classes, or another width?).'
    return f'For one, {match.missing[0]} is not in the file.' if match.missing else ''
