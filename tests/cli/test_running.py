import errno
import multiprocessing
import subprocess
import sys

import malicious_checkpoints
import pytest
import torch
from mmengine.runner import CheckpointLoader
from tiny_runs import ENVIRONMENT
from torch.utils.data import DataLoader

from mmrev.cli.arguments import config_parser
from mmrev.cli.running import run
from mmrev.errors import CheckpointError, DataError


def outcome(error: BaseException, capsys) -> tuple[int, str]:
    def command(args):
        raise error

    status = run(command, config_parser('train', ''), ['x'])
    return status, capsys.readouterr().err


@pytest.mark.parametrize(
    ('error', 'line'),
    [
        (DataError('a.png: two\nlines'), 'a.png: two lines'),
        (
            DataError(
                'Caught DataError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n'
                '  File "x.py"\nmmrev.errors.DataError: a.png: label 30'
            ),
            'a.png: label 30',
        ),
        (OSError(errno.ENOSPC, 'No space left on device'), 'the disk is full'),
        (
            RuntimeError(
                '[enforce fail at inline_container.cc:668] . PytorchStreamWriter failed writing file data/3: file '
                'write failed'
            ),
            'the disk is full',
        ),
        (RuntimeError('DataLoader worker (pid 7) is killed by signal: Terminated. '), '--resume goes on from the last'),
        (torch.cuda.OutOfMemoryError('CUDA out of memory.'), 'out of GPU memory: halve train_dataloader.batch_size'),
        (RuntimeError('Expected to have finished reduction in the prior iteration'), 'find_unused_parameters=True'),
        (ValueError('SyncBatchNorm expected input tensor to be on GPU'), 'needs GPUs'),
        (FileNotFoundError(errno.ENOENT, 'No such file or directory', 'a.png'), "No such file or directory: 'a.png'"),
        (
            KeyError('X is not in the mmseg::model registry. Please check'),
            'X is not in the mmseg::model registry: check',
        ),
    ],
)
def test_what_a_user_can_mend_is_one_line(error, line, capsys):
    status, err = outcome(error, capsys)
    assert status == 1
    assert err.startswith('mmrev: error: ') and line in err and err.count('\n') == 1


def test_ctrl_c_is_one_line(capsys):
    assert outcome(KeyboardInterrupt(), capsys) == (130, 'mmrev: stopped\n')


def test_the_workers_of_a_stopped_training_end_with_it(capsys):
    def command(args):
        loader = DataLoader(range(4), num_workers=1, persistent_workers=True)
        loader.runner = loader  # a cycle, as in a runner
        next(iter(loader))
        workers.extend(multiprocessing.active_children())
        raise KeyboardInterrupt

    workers: list[multiprocessing.Process] = []
    assert run(command, config_parser('train', ''), ['x']) == 130
    assert len(workers) == 1
    workers[0].join(timeout=30)
    assert not workers[0].is_alive()


@pytest.mark.parametrize('bug', [KeyError('x'), TypeError('f() takes 1 argument'), RuntimeError('shape'), ValueError()])
def test_a_bug_keeps_its_traceback(bug, capsys):
    with pytest.raises(type(bug)):
        outcome(bug, capsys)


def test_every_command_forbids_code_in_checkpoints(monkeypatch, tmp_path):
    monkeypatch.setattr(CheckpointLoader, '_schemes', {'': torch.load})
    run(lambda args: None, config_parser('train', ''), ['x'])
    with pytest.raises(CheckpointError, match='was refused'):
        CheckpointLoader.load_checkpoint(str(malicious_checkpoints.write(malicious_checkpoints.plain, tmp_path)))
    assert not (tmp_path / malicious_checkpoints.MARK).exists()


@pytest.mark.parametrize(('error', 'status'), [('', 0), ('raise KeyboardInterrupt', 130), ('raise OSError("x")', 1)])
def test_the_interpreter_does_not_shut_down_beside_threads_of_gloo(error, status, tmp_path):
    """They abort the process if it does, once in ten times on a busy machine."""
    code = f"""
import argparse, atexit, sys, torch
from mmrev.cli.running import run

def command(args):
    store = torch.distributed.FileStore({str(tmp_path / 'store')!r}, 1)
    torch.distributed.init_process_group('gloo', store=store, rank=0, world_size=1)
    {error}

atexit.register(print, 'handlers ran')
run(command, argparse.ArgumentParser(), [])
print('went on')
"""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (status, 'handlers ran'), done.stderr
