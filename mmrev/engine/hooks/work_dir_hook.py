"""A work dir in which no checkpoint is lost."""

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import BaseLoop, Runner

from mmrev.registry import HOOKS

from ..work_dirs import last_checkpoint, lock_work_dir, save_whole_files


@HOOKS.register_module()
class WorkDirHook(Hook):
    """Guards the checkpoints in the work dir of a training.

    - A second training in the same work dir is refused. The lock ends with the process, also with one that is killed.
    - Checkpoints are written whole or not at all. mmengine writes over the former file.
    - ``resume=True`` takes the last whole checkpoint, if the last one is broken or gone.

    Raises:
        ConfigError: Another process trains in this work dir, or nothing can be written there.

    Example:
        >>> WorkDirHook().priority
        'VERY_HIGH'
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        if not isinstance(runner._train_loop, BaseLoop):  # a test, which may run beside the training
            return
        if is_main_process():
            lock_work_dir(runner.work_dir)
        save_whole_files()
        if runner._resume and runner._load_from is None:
            runner._load_from = last_checkpoint(runner.work_dir, runner.logger.warning)

    def before_train(self, runner: Runner) -> None:
        if any(isinstance(hook, CheckpointHook) and hook.max_keep_ckpts == 1 for hook in runner.hooks):
            runner.logger.warning(
                'max_keep_ckpts=1: mmengine removes the checkpoint before it writes the next, so a training that is '
                'killed in between has none. Set default_hooks.checkpoint.max_keep_ckpts=2'
            )
