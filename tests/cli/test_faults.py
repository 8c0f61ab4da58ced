"""Each fault of the machine ends a training with one line, and nothing that was saved is lost."""

import contextlib
import errno
import multiprocessing
import os
import signal
import subprocess
import time
from pathlib import Path

import killed_runs
import pytest
import tiny_runs
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner

from mmrev.cli import train
from mmrev.engine import read_checkpoint, work_dirs

FAULTS = {}


def fault(function):
    FAULTS[function.__name__] = function
    return function


@HOOKS.register_module()
class FaultHook(Hook):
    """Calls one of FAULTS before an iteration."""

    def __init__(self, name, iteration, argument=''):
        self.name, self.iteration, self.argument = name, iteration, argument

    def before_train_iter(self, runner, *_, **__):
        if runner.iter == self.iteration:
            FAULTS[self.name](self.argument)


@pytest.fixture
def cfg(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.train_cfg.max_iters = 8
    cfg.default_hooks.checkpoint.update(interval=1, max_keep_ckpts=2)
    return cfg


@pytest.fixture
def disk(tmp_path):
    """A disk of 1 MB, and a function that changes its options."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip('only root can mount a disk')
    yield folder, lambda options: subprocess.run(['mount', '-o', f'remount,{options}', folder], check=True)
    subprocess.run(['umount', '-l', folder], check=True)


def add(cfg, name, iteration, argument=''):
    cfg.custom_hooks.append(dict(type='FaultHook', name=name, iteration=iteration, argument=str(argument)))


def stopped(cfg, work_dir, capsys) -> str:
    """Trains until the fault, and returns the line."""
    config = tiny_runs.save(cfg, work_dir.parent / 'faulty.py')
    assert tiny_runs.call(train.main, config, '--work-dir', work_dir) == 1
    return tiny_runs.error_line(capsys)


def goes_on(cfg, work_dir, after: int):
    """Resumes a training whose last checkpoint is whole."""
    last = Path((work_dir / 'last_checkpoint').read_text())
    assert read_checkpoint(last)['meta']['iter'] == after
    cfg.custom_hooks = [hook for hook in cfg.custom_hooks if hook['type'] != 'FaultHook']
    config = tiny_runs.save(cfg, work_dir.parent / 'mended.py')
    assert tiny_runs.call(train.main, config, '--work-dir', work_dir, '--resume') == 0
    assert read_checkpoint(work_dir / 'iter_8.pth')['meta']['iter'] == 8


def test_a_full_disk(cfg, disk, capsys):
    folder, remount = disk
    cfg.default_hooks.checkpoint.max_keep_ckpts = -1
    line = stopped(cfg, folder / 'w', capsys)
    assert line == ('mmrev: error: the disk is full: free some space and --resume; the last whole checkpoint is kept')
    assert not list((folder / 'w').glob('.*.part'))
    saved = len(list((folder / 'w').glob('iter_*.pth')))
    assert 0 < saved < 8
    remount('size=30m')
    goes_on(cfg, folder / 'w', after=saved)


def test_a_disk_that_another_program_fills(cfg, disk, capsys):
    """The log cannot be written either, and says nothing about it."""
    folder, remount = disk
    cfg.default_hooks.checkpoint.max_keep_ckpts = -1  # no space becomes free
    add(cfg, 'fill', 3, folder / 'filler')
    assert 'the disk is full: free some space and --resume' in stopped(cfg, folder / 'w', capsys)
    (folder / 'filler').unlink()
    remount('size=30m')
    goes_on(cfg, folder / 'w', after=3)


@fault
def fill(path):
    with contextlib.suppress(OSError), open(path, 'wb', buffering=0) as file:
        while file.write(bytes(1000)):
            pass


def test_a_folder_that_becomes_read_only(cfg, tmp_path, capsys, monkeypatch):
    def refuse(path, *_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    # no disk can be made read-only while the log is open, but broken disks become it
    FAULTS['read_only'] = lambda _: monkeypatch.setattr(work_dirs, 'open', refuse, raising=False)
    add(cfg, 'read_only', 3)
    line = stopped(cfg, tmp_path / 'w', capsys)
    assert 'Read-only file system' in line and str(tmp_path / 'w') in line
    assert line.endswith('make it writable, and --resume; the last whole checkpoint is kept')
    monkeypatch.undo()
    goes_on(cfg, tmp_path / 'w', after=3)


def test_a_work_dir_on_a_read_only_disk(cfg, disk, capsys):
    folder, remount = disk
    remount('ro')
    assert stopped_at_start(cfg, folder / 'w', capsys) == (
        f'mmrev: error: the work dir {folder / "w"} cannot be written (Read-only file system): give another one with '
        '--work-dir'
    )


def test_a_work_dir_below_a_file(cfg, tmp_path, capsys):
    (tmp_path / 'file').write_text('')
    assert 'cannot be written (Not a directory)' in stopped_at_start(cfg, tmp_path / 'file/w', capsys)


def stopped_at_start(cfg, work_dir, capsys) -> str:
    cfg.model.type = 'NoSuchModel'  # before the model is built
    config = tiny_runs.save(cfg, Path(cfg.train_dataloader.dataset.data_root) / 'c.py')
    assert tiny_runs.call(train.main, config, '--work-dir', work_dir) == 1
    return tiny_runs.error_line(capsys)


@fault
def hide(folder):
    Path(folder).rename(f'{folder}_gone')


@pytest.mark.parametrize('workers', [0, 1])
def test_the_data_folder_vanishes(workers, cfg, tmp_path, capsys):
    folder = Path(cfg.train_dataloader.dataset.data_root)
    cfg.train_dataloader.num_workers = workers
    if workers:  # or the worker may have read the next batches before
        cfg.train_dataloader.prefetch_factor = 1
    add(cfg, 'hide', 2, folder)
    line = stopped(cfg, tmp_path / 'w', capsys)
    assert 'No such file' in line and f'{folder}/images/train' in line or f'{folder}/annotations/train' in line
    assert line.endswith(
        'check the path; `mmrev check-data <config>` reads all files of a data set. A training goes on with --resume'
    )
    Path(f'{folder}_gone').rename(folder)
    saved = int((tmp_path / 'w/last_checkpoint').read_text().split('_')[-1].removesuffix('.pth'))
    assert 2 <= saved < 8
    goes_on(cfg, tmp_path / 'w', after=saved)


@fault
def kill_worker(_):
    os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)


def test_a_worker_is_killed(cfg, tmp_path, capsys):
    """As the system does where memory runs out."""
    cfg.train_dataloader.num_workers = 1
    add(cfg, 'kill_worker', 2)
    line = stopped(cfg, tmp_path / 'w', capsys)
    assert 'DataLoader worker' in line and 'is killed by signal: Killed' in line
    assert 'memory ran out: lower train_dataloader.num_workers' in line
    saved = int((tmp_path / 'w/last_checkpoint').read_text().split('_')[-1].removesuffix('.pth'))
    goes_on(cfg, tmp_path / 'w', after=saved)


@pytest.mark.parametrize('hours', [-48, 48])
def test_the_clock_jumps(hours, cfg, tmp_path, monkeypatch):
    now = time.time
    FAULTS['jump'] = lambda _: monkeypatch.setattr(time, 'time', lambda: now() + 3600 * hours)
    add(cfg, 'jump', 3)
    config = tiny_runs.save(cfg, tmp_path / 'c.py')
    argv = [config, '--work-dir', tmp_path / 'w']
    assert tiny_runs.call(train.main, *argv) == 0
    assert (tmp_path / 'w/last_checkpoint').read_text() == str(tmp_path / 'w/iter_8.pth')
    # a checkpoint from before the jump is newer, by the time of its file
    for path, when in (('iter_7.pth', 48), ('iter_8.pth', -48)):
        os.utime(tmp_path / 'w' / path, (now() + 3600 * when,) * 2)
    (tmp_path / 'w/last_checkpoint').unlink()
    assert tiny_runs.call(train.main, *argv, '--resume', '--cfg-options', 'train_cfg.max_iters=9') == 0
    assert 'resumed epoch: 0, iter: 8' in tiny_runs.logged(tmp_path / 'w')


def test_a_second_training_in_a_work_dir_is_refused(cfg, tmp_path, capsys):
    cfg.train_cfg.max_iters = 100_000
    cfg.train_dataloader.num_workers = 1  # it outlives its training for a while
    argv = [tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w']
    first = killed_runs.start(*argv, output=tmp_path / 'first.txt')
    while first.is_alive() and not (tmp_path / 'w/last_checkpoint').exists():
        time.sleep(0.02)
    before = sorted((tmp_path / 'w').glob('*.py'))
    assert tiny_runs.call(train.main, *argv) == 1
    line = tiny_runs.error_line(capsys)
    assert line.startswith(
        f'mmrev: error: another training uses the work dir {tmp_path / "w"} (process {first.pid} on '
    )
    assert line.endswith('wait for its end, or give another one with --work-dir')
    assert sorted((tmp_path / 'w').glob('*.py')) == before and first.is_alive()
    first.kill()
    first.join()
    assert tiny_runs.call(train.main, *argv, '--cfg-options', 'train_cfg.max_iters=1') == 0


@pytest.mark.parametrize('named', [True, False])
def test_a_corrupt_last_checkpoint(named, cfg, tmp_path, capsys):
    cfg.train_cfg.max_iters = 2
    argv = [tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w']
    assert tiny_runs.call(train.main, *argv) == 0
    last, before = tmp_path / 'w/iter_2.pth', tmp_path / 'w/iter_1.pth'
    os.truncate(last, last.stat().st_size // 2)
    capsys.readouterr()
    if named:
        assert tiny_runs.call(train.main, *argv, '--resume', last) == 1
        line = tiny_runs.error_line(capsys)
        assert line.startswith(f'mmrev: error: {last} is truncated')
        assert line.endswith(f'or go on from the last whole one with --resume {before}')
    else:
        assert tiny_runs.call(train.main, *argv, '--resume') == 0
        out = capsys.readouterr().out
        assert f'{last} is truncated' in out and f'The training goes on from {before}, which is whole' in out
        assert 'resumed epoch: 0, iter: 1' in tiny_runs.logged(tmp_path / 'w')
        assert read_checkpoint(last)['meta']['iter'] == 2


def test_no_checkpoint_is_whole(cfg, tmp_path, capsys):
    cfg.train_cfg.max_iters = 2
    argv = [tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w']
    assert tiny_runs.call(train.main, *argv) == 0
    for path in (tmp_path / 'w').glob('*.pth'):
        path.write_bytes(b'')
    assert tiny_runs.call(train.main, *argv, '--resume') == 1
    line = tiny_runs.error_line(capsys)
    assert f'{tmp_path / "w/iter_2.pth"} is truncated' in line
    assert f'no other checkpoint in {tmp_path / "w"} is whole: resume from another file' in line


def test_mmengine_itself_resumes_from_the_last_whole_checkpoint(cfg, tmp_path):
    """As mmseg's own tools do, with one of our configs."""
    cfg.train_cfg.max_iters = 2
    cfg.custom_hooks.append(dict(type='mmrev.WorkDirHook'))
    cfg.work_dir = str(tmp_path / 'w')
    tiny_runs.call(lambda _: Runner.from_cfg(cfg).train())
    os.truncate(tmp_path / 'w/iter_2.pth', 1000)
    cfg.resume = True
    tiny_runs.call(lambda _: Runner.from_cfg(cfg).train())
    assert 'which is whole' in tiny_runs.logged(tmp_path / 'w')
    assert 'resumed epoch: 0, iter: 1' in tiny_runs.logged(tmp_path / 'w')
