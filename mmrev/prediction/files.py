"""Writing of files that are whole or not there at all."""

import csv
import errno
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
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
