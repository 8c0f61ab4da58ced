"""Training in several processes: which one prints, processes without GPUs, and their end."""

import atexit
import os
import sys

import torch
from mmengine.config import Config


def is_main_rank() -> bool:
    """Returns whether this process may print. It works before and after the process group exists."""
    for name in ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK'):
        if rank := os.environ.get(name):
            return int(rank) == 0
    return True


def process_count(launcher: str) -> int:
    """Returns the number of processes that the launcher started.

    Example:
        >>> process_count('none')
        1
    """
    variables = {'pytorch': 'WORLD_SIZE', 'slurm': 'SLURM_NTASKS', 'mpi': 'OMPI_COMM_WORLD_SIZE'}
    return int(os.environ.get(variables.get(launcher, ''), 1))


def use_cpus(cfg: Config) -> None:
    """Prepares several processes without GPUs, because mmengine's start and its wrapper of the model need one each."""
    if cfg.launcher == 'none' or torch.cuda.is_available():
        return
    if cfg.launcher == 'pytorch' and not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
    )


def leave_process_group(status: int) -> int:
    """Ends the process group, and the process too if gloo connects the processes.

    A thread of gloo frees tensors that Python knows, some time after their exchange. For that it waits for the
    interpreter. An interpreter that shuts down ends a thread that waits, and C++ then aborts the process (SIGABRT).
    The threads outlive the process group, which DistributedDataParallel keeps. So the interpreter does not shut down.

    Args:
        status: The exit status.

    Returns:
        The status, if the process goes on.

    Example:
        >>> leave_process_group(1)
        1
    """
    if not torch.distributed.is_initialized():
        return status
    gloo = torch.distributed.get_backend() == 'gloo'
    if status == 0:  # after an error, the other processes may never come
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    if gloo:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status
