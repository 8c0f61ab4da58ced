"""The folder that a preparation fills. A file in it is whole, or not there; none is written twice."""

import io
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from mmrev.errors import DataError


class Output:
    """The folder of a data set.

    Args:
        folder: The folder. It is made when the first file comes.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     output = Output(Path(folder))
        ...     for _ in range(2):
        ...         output.put('images/a.jpg', b'image')
        ...     output.written, output.kept
        (1, 1)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written = self.kept = 0

    def lacks(self, name: str) -> bool:
        """Returns whether a file is still to be written. A file that is there counts as kept."""
        present = (self.folder / name).is_file()
        self.kept += present
        return not present

    def put(self, name: str, content: bytes) -> None:
        """Writes a file beside its place and moves it there, unless it is there already.

        Raises:
            DataError: A file of another size has its name.
        """
        path = self.folder / name
        if path.is_file():
            if path.stat().st_size != len(content):
                raise DataError(
                    f'{path} is there, and differs from the archive: remove it, or name another folder with --data'
                )
            self.kept += 1
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f'.{path.name}.part')
        try:
            part.write_bytes(content)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
        self.written += 1

    def put_mask(self, name: str, labels: np.ndarray) -> None:
        """Writes a label map [H, W] as a grey PNG."""
        file = io.BytesIO()
        Image.fromarray(labels.astype(np.uint8)).save(file, 'PNG')
        self.put(name, file.getvalue())

    def put_list(self, name: str, names: Iterable[str]) -> int:
        """Writes a list of names, and returns its length."""
        lines = list(names)
        self.put(name, ''.join(f'{line}\n' for line in lines).encode())
        return len(lines)

    def read_list(self, name: str) -> list[str]:
        """Reads a list of names.

        Raises:
            DataError: The list is not there.
        """
        path = self.folder / name
        if not path.is_file():
            raise DataError(f'the archives held no {name}: they are incomplete, or not those of the authors')
        return [line.split()[0] for line in path.read_text().splitlines() if line.strip()]

    def count(self, pattern: str) -> int:
        """Counts the files of a pattern."""
        return sum(1 for _ in self.folder.glob(pattern))
