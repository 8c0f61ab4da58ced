"""Writing of files and folders that are whole or not there at all."""

import csv
import errno
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from mmrev.errors import DataError

from .names import shown


class FullDiskError(DataError):
    """No space is left, so that going on makes no sense."""


def write_file(path: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Writes a file under another name in its folder, and gives it its name when it is whole.

    Raises:
        FullDiskError: No space is left.
        DataError: The file cannot be written.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_file(Path(folder, 'new/a.txt'), lambda file: file.write(b'done'))
        ...     [path.name for path in Path(folder, 'new').iterdir()]
        ['a.txt']
    """
    unfinished = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # a name of its own: the file's name and a suffix may be too long together
        number, unfinished = tempfile.mkstemp(prefix='.unfinished_', dir=path.parent)
        with os.fdopen(number, 'wb') as file:
            write(file)
        os.chmod(unfinished, 0o666 & ~_umask())
        os.replace(unfinished, path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if unfinished and os.path.exists(unfinished):
            os.unlink(unfinished)


@contextmanager
def write_folder(folder: Path) -> Iterator[Path]:
    """Gives a new folder to write into. At the end it takes the place of ``folder``, unless it is empty.

    After an error or Ctrl-C everything is as it was.

    Raises:
        FullDiskError: No space is left.
        DataError: The folder cannot be written.

    Example:
        >>> with tempfile.TemporaryDirectory() as parent:
        ...     with write_folder(Path(parent, 'new')) as folder:
        ...         size = (folder / 'a.txt').write_bytes(b'done')
        ...     [path.name for path in Path(parent).rglob('*')]
        ['new', 'a.txt']
    """
    with _writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        new, old = Path(tempfile.mkdtemp(prefix='.unfinished_', dir=folder.parent)), None
    try:
        yield new
        if not any(new.iterdir()):
            return
        with _writing(folder):
            os.chmod(new, 0o777 & ~_umask())
            if folder.exists():
                old = Path(tempfile.mkdtemp(prefix='.replaced_', dir=folder.parent))
                os.replace(folder, old)
            os.replace(new, folder)
    finally:
        if old and not folder.exists():
            os.replace(old, folder)
        for left_over in filter(None, (new, old)):
            shutil.rmtree(left_over, ignore_errors=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise write_error(path, error) from error


def write_error(path: Path, error: OSError) -> DataError:
    """Says in one line why a file cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FullDiskError('the disk is full: free some space, and run the same command again; it goes on from here')
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return DataError(f'{shown(path)} cannot be written ({error.strerror}): name another folder with --out')
    return DataError(f'{shown(path)} cannot be written ({error.strerror or error})')


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes a table. Names of files that are no Unicode keep their bytes."""
    text = io.StringIO(newline='')
    table = csv.writer(text)
    table.writerow(columns)
    table.writerows(rows)
    write_file(path, lambda file: file.write(text.getvalue().encode('utf-8', 'surrogateescape')))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
