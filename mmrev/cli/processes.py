"""Training in several processes: which one prints, processes without GPUs, and their end."""

import os

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


def leave_process_group() -> None:
    """Ends the process group. A process that ends while gloo's threads live is sometimes aborted."""
    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
