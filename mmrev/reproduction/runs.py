"""The folder of one training: its lock, its state, and the marks that it leaves."""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from mmrev.errors import UserError

# Whoever asks for the state holds the lock for a moment.
LOOKS = 5


class Busy(UserError):
    """Another process works on this training."""


@dataclass(frozen=True)
class Progress:
    """How far a training or a test is.

    Args:
        stage: ``'train'`` or ``'test'``.
        done: The iterations that are done.
        total: All of them.
        seconds: The time of all starts.

    Example:
        >>> print(Progress('train', 30, 120, 9.0))
        train 30 of 120
    """

    stage: str
    done: int
    total: int
    seconds: float

    def __str__(self) -> str:
        return f'{self.stage} {self.done} of {self.total}'


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Args:
        checkpoint: The file with the weights, below the folder of the run.
        sha256: Its hash.
        device: The device of the last start.
        processes: The number of processes of the last start.
        hours: The hours of all starts.
        versions: The versions of the packages.
        commit: The git commit of mmrev.
        data: The data sets of the training.

    Example:
        >>> Trained('iter_20.pth', '0a1b', 'CPU', 1, 0.5, 'torch 2.11.0', '', '').hours
        0.5
    """

    checkpoint: str
    sha256: str
    device: str
    processes: int
    hours: float
    versions: str
    commit: str
    data: str


class Run:
    """The folder of one training.

    Args:
        folder: The folder. It need not exist.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     run = Run(Path(folder, 'ran_n_r18_camvid/seed_0'))
        ...     with run.lock():
        ...         run.is_locked(), run.state()
        ...     run.is_locked(), run.state()
        (True, 'at work in another process')
        (False, 'not run')
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock, self._trained, self._failed = folder / 'lock', folder / 'trained.json', folder / 'failed.txt'

    @contextmanager
    def lock(self) -> Iterator[int]:
        """Keeps other processes away. The system frees the lock when the last process that holds it ends.

        Yields:
            The file descriptor. A child process that inherits it holds the lock too.

        Raises:
            Busy: Another process holds the lock.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _try_lock(handle):
                raise Busy(f'{self.folder}: {self._lock.read_text().strip() or "another process"} works on it')
            os.ftruncate(handle, 0)
            os.pwrite(handle, f'process {os.getpid()} on {socket.gethostname()}'.encode(), 0)
            yield handle
        finally:
            os.close(handle)

    def is_locked(self) -> bool:
        """Returns whether a living process holds the lock."""
        if not self._lock.exists():
            return False
        with self._lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def progress(self) -> Progress | None:
        """Returns how far the training is, or the newest test."""
        files = [*self.folder.glob('progress.json'), *self.folder.glob('test/*/progress.json')]
        if not files:
            return None
        return _read_progress(max(files, key=lambda path: path.stat().st_mtime))

    def training_progress(self) -> Progress | None:
        """Returns how far the training is."""
        file = self.folder / 'progress.json'
        return _read_progress(file) if file.exists() else None

    def trained(self) -> Trained | None:
        """Returns the finished training, or None."""
        if not self._trained.exists():
            return None
        trained = Trained(**json.loads(self._trained.read_text()))
        return trained if (self.folder / trained.checkpoint).is_file() else None

    def mark_trained(self, trained: Trained) -> None:
        """Says that the training is finished."""
        whole = self._trained.with_suffix('.tmp')
        whole.write_text(json.dumps(asdict(trained), indent=1))
        whole.replace(self._trained)

    def mark_failed(self, reason: str | None) -> None:
        """Keeps the reason of a failure, or forgets it."""
        if reason is None:
            self._failed.unlink(missing_ok=True)
        else:
            self._failed.write_text(reason)

    def state(self) -> str:
        """Says in a few words how far this training is."""
        progress = self.training_progress()
        if self.is_locked():
            return 'at work in another process' + (f': {self.progress()}' if progress else '')
        if self._failed.exists():
            return f'failed: {self._failed.read_text()}'
        if self.trained():
            return 'trained, not tested'
        return f'stopped: {progress}' if progress else 'not run'


def _try_lock(handle: int) -> bool:
    for _ in range(LOOKS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.1)
    return False


def _read_progress(path: Path) -> Progress:
    return Progress(**json.loads(path.read_text()))
