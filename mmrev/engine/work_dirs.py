"""A work dir that loses nothing: files that are whole, one training at a time, and its last whole checkpoint."""

import os
import socket
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from mmengine.fileio import register_backend
from mmengine.fileio.backends import LocalBackend

from mmrev.errors import CheckpointError, ConfigError

from .checkpoints import read_checkpoint
from .restricted_pickle import ForbiddenError

LOCK, LAST = '.training', 'last_checkpoint'
# folder -> its locked file, which stays open until the process ends
_locked: dict[Path, IO] = {}


def write_whole(path: str | Path, content: bytes) -> None:
    """Writes a file beside its place, and moves it there once it is whole. A failure leaves the former file.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_whole(Path(folder, 'a.pth'), b'weights')
        ...     [(file.name, file.read_bytes()) for file in Path(folder).iterdir()]
        [('a.pth', b'weights')]
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'.{path.name}.part')
    try:
        with open(part, 'wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # or a power cut could leave the new name without the content
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)  # on a full disk it would take the space that the user frees
        raise


class WholeFileBackend(LocalBackend):
    """mmengine's local files, written by :func:`write_whole`. mmengine itself writes a checkpoint over the former one.

    Example:
        >>> WholeFileBackend().name
        'WholeFileBackend'
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        write_whole(filepath, obj)


def save_whole_files() -> None:
    """Makes mmengine save whole checkpoints in this process."""
    register_backend('local', WholeFileBackend, force=True, prefixes='')


def lock_work_dir(work_dir: str | Path) -> None:
    """Keeps other processes from training in a work dir, until this one ends in any way. It makes the folder.

    Raises:
        ConfigError: Another process trains there, or nothing can be written there.

    Example:
        >>> lock_work_dir('/dev/null/work_dir')
        Traceback (most recent call last):
        mmrev.errors.ConfigError: the work dir /dev/null/work_dir cannot be written (Not a directory): ...
    """
    folder = Path(os.path.realpath(work_dir))
    if folder in _locked:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / LOCK, 'a+')  # noqa: SIM115  # the lock lasts as long as the file is open
    except OSError as error:
        raise ConfigError(
            f'the work dir {work_dir} cannot be written ({error.strerror}): give another one with --work-dir'
        ) from error
    if not _lock(file):
        file.seek(0)
        owner = file.read() or 'a process'
        file.close()
        raise ConfigError(
            f'another training uses the work dir {work_dir} ({owner}): wait for its end, or give another one with '
            '--work-dir'
        )
    file.truncate(0)
    file.write(f'process {os.getpid()} on {socket.gethostname()}')
    file.flush()
    _locked[folder] = file
    for part in folder.glob('.*.part'):  # of a training that was killed
        part.unlink()


def is_locked(work_dir: str | Path) -> bool:
    """Returns whether another process trains in a work dir.

    Example:
        >>> is_locked('an/empty/folder')
        False
    """
    folder = Path(os.path.realpath(work_dir))
    if folder in _locked or not (folder / LOCK).exists():
        return False
    with open(folder / LOCK, 'a+') as file:
        return not _lock(file)


def _lock(file: IO) -> bool:
    """Locks a file, and returns whether it was free. The system unlocks it when the process ends in any way."""
    if find_spec('fcntl') is None:  # Windows
        return True
    import fcntl

    try:
        # not flock, which would last as long as a data loader's worker
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks
        return True
    return True


def last_checkpoint(work_dir: str | Path, say: Callable[[str], object] = print) -> str | None:
    """Returns the last whole checkpoint of a work dir, which may have been moved.

    Args:
        work_dir: The folder. Its file ``last_checkpoint`` names the checkpoint.
        say: It is called with a line if this checkpoint is broken or gone and an earlier one is taken.

    Returns:
        The path, or None if the work dir has no checkpoint.

    Raises:
        CheckpointError: There are checkpoints, and none of them is whole; or the last one holds code.

    Example:
        >>> last_checkpoint('an/empty/folder')
    """
    folder, problems = Path(work_dir), list[str]()
    file = folder / LAST
    named = file.read_text().strip() if file.is_file() else ''
    if named:
        path = next(filter(Path.is_file, (folder / Path(named).name, Path(named))), None)
        if path is None:
            problems.append(f'{file} names {named}, which is gone')
        elif _iteration(path, problems) is not None:
            return str(path)
    if found := newest_checkpoint(folder, problems=problems):
        say(
            f'{problems[0] if problems else f"{file} names none"}. The training goes on from {found[1]}, which is whole'
        )
        return str(found[1])
    if problems:
        raise CheckpointError(
            f'{problems[0]}; no other checkpoint in {folder} is whole: resume from another file with --resume <file>, '
            'or start anew without --resume'
        )
    return None


def newest_checkpoint(
    folder: Path, good: Callable[[dict], bool] = bool, problems: list[str] | None = None
) -> tuple[int, Path] | None:
    """Finds the regular checkpoint (``iter_*.pth``, ``epoch_*.pth``) of the most iterations that is whole and good.

    Args:
        folder: The work dir.
        good: It tells whether a checkpoint is good.
        problems: A list for the messages about broken ones.

    Returns:
        The number of iterations, and the path.

    Example:
        >>> newest_checkpoint(Path('an/empty/folder'))
    """
    noted = [] if problems is None else problems
    found = (_newest_of(folder, kind, good, noted) for kind in ('iter', 'epoch'))
    return max(filter(None, found), default=None)


def _newest_of(folder: Path, kind: str, good: Callable[[dict], bool], problems: list[str]) -> tuple[int, Path] | None:
    # the numbers in the names tell the order: modification times would be wrong after a change of the clock
    numbers = {path: path.stem.removeprefix(f'{kind}_') for path in folder.glob(f'{kind}_*.pth')}
    for path in sorted((path for path in numbers if numbers[path].isdigit()), key=lambda path: -int(numbers[path])):
        if (iteration := _iteration(path, problems, good)) is not None:
            return iteration, path
    return None


def _iteration(path: Path, problems: list[str], good: Callable[[dict], bool] = bool) -> int | None:
    """Returns the number of iterations before a checkpoint, or None if it is broken or not good."""
    try:
        checkpoint = read_checkpoint(path)
    except CheckpointError as error:
        if isinstance(error.__cause__, ForbiddenError):
            raise
        problems.append(str(error))
        return None
    return checkpoint.get('meta', {}).get('iter', 0) if good(checkpoint) else None
