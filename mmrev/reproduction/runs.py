"""The folder of one training: its locks, its state, and the marks that it leaves."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mmrev.engine.hooks.progress_file_hook import FILE as PROGRESS
from mmrev.engine.work_dirs import is_locked
from mmrev.errors import UserError

# Whoever asks for the state of a lock holds it for a moment.
PATIENCE = 0.5  # seconds


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
        self._lock, self._trained, self._failed = folder / 'job.lock', folder / 'trained.json', folder / 'failed.txt'

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps other processes away. The system frees the lock when this process ends.

        Raises:
            Busy: Another process works on this training.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._lock)
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            raise Busy(f'another process works in {self.folder}') from None
        try:
            if is_locked(self.folder):  # a training goes on after a kill of its job
                raise Busy(f'a training whose command was killed still runs in {self.folder}')
            yield
        finally:
            lock.release()

    def is_locked(self) -> bool:
        """Returns whether a living process works in the folder."""
        return is_locked(self.folder) or _is_held(self._lock)

    def progress(self) -> Progress | None:
        """Returns how far the training is, or the newest test."""
        files = [*self.folder.glob(PROGRESS), *self.folder.glob(f'test/*/{PROGRESS}')]
        return _read_progress(max(files, key=lambda path: path.stat().st_mtime)) if files else None

    def training_progress(self) -> Progress | None:
        """Returns how far the training is."""
        file = self.folder / PROGRESS
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
        if self.is_locked():
            progress = self.progress()
            return 'at work in another process' + (f': {progress}' if progress else '')
        if self._failed.exists():
            return f'failed: {self._failed.read_text()}'
        if self.trained():
            return 'trained, not tested'
        stopped = self.training_progress()
        return f'stopped: {stopped}' if stopped else 'not run'


def _is_held(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True


def _read_progress(path: Path) -> Progress:
    return Progress(**json.loads(path.read_text()))
