"""Reading archives as a stream: tar, compressed tar and zip. The archive itself is never changed."""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from tqdm import tqdm

from mmrev.errors import DataError, UserError

from .packages import require

DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError)


class Member:
    """A file in an archive. It can be read until the next one is asked for.

    Args:
        name: Its path in the archive.
        file: Its content.

    Example:
        >>> Member('VOCdevkit/VOC2012/JPEGImages/a.jpg', io.BytesIO(b'image')).read()
        b'image'
    """

    def __init__(self, name: str, file: IO[bytes]) -> None:
        self.name, self.file = name, file

    def read(self) -> bytes:
        with whole(self.name):
            return self.file.read()


@contextmanager
def whole(path: object) -> Iterator[None]:
    """Turns the errors of a damaged archive into one line.

    Raises:
        DataError: The archive is damaged.

    Example:
        >>> with whole('a.zip'):
        ...     raise EOFError('it ends early')
        Traceback (most recent call last):
        mmrev.errors.DataError: a.zip is damaged (it ends early): download the archive again
    """
    try:
        yield
    except DAMAGED as error:
        raise DataError(f'{path} is damaged ({error}): download the archive again') from error


def members(path: Path, quiet: bool = False) -> Iterator[Member]:
    """Yields the files of an archive in their order, with a progress bar in bytes.

    Args:
        path: The archive.
        quiet: Draw no bar.

    Raises:
        DataError: The archive is damaged, or a name in it leads out of it.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder, 'a.zip')
        ...     with zipfile.ZipFile(path, 'w') as archive:
        ...         archive.writestr('images/a.jpg', b'image')
        ...     [(member.name, member.read()) for member in members(path, quiet=True)]
        [('images/a.jpg', b'image')]
    """
    total = path.stat().st_size
    with (
        whole(path),
        path.open('rb') as file,
        tqdm(total=total, desc=path.name, unit='B', unit_scale=True, disable=quiet or None) as bar,
    ):
        for member in _zip(file) if zipfile.is_zipfile(path) else _tar(file):
            require_inside(member.name, path)
            yield member
            bar.update(max(file.tell() - bar.n, 0))


def inner_tar(member: Member) -> Iterator[Member]:
    """Yields the files of a tar in a tar.

    Raises:
        DataError: The tar is damaged, or a name in it leads out of it.

    Example:
        >>> list(inner_tar(Member('n01440764.tar', io.BytesIO(bytes(10240)))))
        []
    """
    with whole(member.name):
        for inner in _tar(member.file):
            require_inside(inner.name, member.name)
            yield inner


def _tar(file: IO[bytes]) -> Iterator[Member]:
    # '|' reads from front to back, so a compressed archive is never rewound
    with tarfile.open(fileobj=file, mode='r|*') as archive:
        for entry in archive:
            content = archive.extractfile(entry) if entry.isreg() else None  # links and devices are left out
            if content is not None:
                yield Member(entry.name, content)


def _zip(file: IO[bytes]) -> Iterator[Member]:
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                with archive.open(entry) as content:
                    yield Member(entry.filename, content)


def require_inside(name: str, archive: object) -> None:
    """Refuses a name that would be written outside the target folder.

    Raises:
        DataError: The name is absolute, or has ``..`` in it.

    Example:
        >>> require_inside('../a.jpg', 'a.tar')
        Traceback (most recent call last):
        mmrev.errors.DataError: a.tar holds '../a.jpg', which leads out of the archive: it is not the authors' archive
    """
    path = PurePosixPath(name.replace('\\', '/'))
    if path.is_absolute() or '..' in path.parts or ':' in path.parts[0]:
        raise DataError(f"{archive} holds {name!r}, which leads out of the archive: it is not the authors' archive")


@contextmanager
def as_damaged(path: object) -> Iterator[None]:
    """Turns the errors of a reader of MATLAB files or pictures into one line. A full disk stays what it is.

    Raises:
        DataError: The file is not what was expected.

    Example:
        >>> with as_damaged('splits.mat'):
        ...     {}['trainNdxs']
        Traceback (most recent call last):
        mmrev.errors.DataError: splits.mat is not as expected (KeyError: 'trainNdxs'): download it again
    """
    try:
        yield
    except Exception as error:  # SciPy, h5py and Pillow raise errors of many kinds for a damaged file
        if isinstance(error, UserError) or getattr(error, 'errno', None):
            raise
        raise DataError(f'{path} is not as expected ({type(error).__name__}: {error}): download it again') from error


def read_mat(content: bytes, name: str, **options: Any) -> dict[str, Any]:
    """Reads a file of MATLAB 5.

    Raises:
        DataError: The file is damaged.
        HostError: SciPy is not installed.

    Example:
        >>> read_mat(b'no MATLAB file', 'a.mat')
        Traceback (most recent call last):
        mmrev.errors.DataError: a.mat is not as expected (MatReadError: ...): download it again
    """
    scipy_io = require('scipy.io')
    with as_damaged(name):
        return scipy_io.loadmat(io.BytesIO(content), **options)
