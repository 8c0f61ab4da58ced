"""The facts of a data set: its archives, where they come from, its folder, its counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmrev.errors import DataError

from .archives import members
from .output import Output


@dataclass(frozen=True)
class Source:
    """An archive of the authors.

    Args:
        key: The name by which the preparation asks for it.
        file: The name of the file as the authors distribute it. Another start of the name is allowed, such as
            ``context_trainval.tar.gz`` for ``trainval.tar.gz``.
        url: Where it is.
        register: Whether one must register, so that nothing can fetch it.
        holds: The start of the names in it, which tells archives of the same name apart.
        optional: Whether the data set can be prepared without it.

    Example:
        >>> Source('images', 'ILSVRC2012_img_val.tar', 'https://image-net.org', register=True).optional
        False
    """

    key: str
    file: str
    url: str
    register: bool = False
    holds: str = ''
    optional: bool = False

    def __str__(self) -> str:
        notes = ['register first'] * self.register + ['optional'] * self.optional
        told = f' ({", ".join(notes)})' if notes else ''
        return f'{self.file}: {self.url}{told}'

    def find(self, folder: Path) -> Path | None:
        """Returns its path in a folder, or None."""
        for path in sorted(folder.glob(f'*{self.file}'), key=lambda path: len(path.name)):
            if not self.holds or any(name.startswith(self.holds) for name in _first_names(path)):
                return path
        return None


def _first_names(path: Path, number: int = 3) -> list[str]:
    names: list[str] = []
    for member in members(path, quiet=True):
        names.append(member.name.removeprefix('./'))
        if len(names) == number:
            break
    return names


@dataclass(frozen=True)
class DataSet:
    """A data set that ``mmrev prepare`` knows.

    Args:
        title: Its name.
        folder: Its folder below ``data/``.
        sources: Its archives.
        prepare: Fills the folder from the paths of the archives.
        counts: The function that counts what is there, by name.
        expected: The counts of the whole data set.
        config: A config that reads it.

    Example:
        >>> data_set = DataSet('ADE20K', 'ade', (), print, lambda output: {'images': 0}, {'images': 22210}, 'a.py')
        >>> data_set.check(Output(Path('data/ade')))
        Traceback (most recent call last):
        mmrev.errors.DataError: data/ade has 0 images instead of 22,210: the archives are incomplete; ...
    """

    title: str
    folder: str
    sources: Sequence[Source]
    prepare: Callable[[Mapping[str, Path], Output], None]
    counts: Callable[[Output], Mapping[str, int]]
    expected: Mapping[str, int]
    config: str

    def find(self, folder: Path) -> dict[str, Path]:
        """Finds the archives.

        Raises:
            DataError: One is missing.
        """
        found = {source.key: source.find(folder) for source in self.sources}
        missing = [source for source in self.sources if found[source.key] is None and not source.optional]
        if missing:
            raise DataError(f'{folder} lacks archives of {self.title}. Download {"; ".join(map(str, missing))}')
        return {key: path for key, path in found.items() if path is not None}

    def check(self, output: Output) -> dict[str, int]:
        """Compares the counts.

        Raises:
            DataError: One differs.
        """
        found = dict(self.counts(output))
        wrong = {name: count for name, count in found.items() if count and count != self.expected[name]}
        missing = [name for name, count in found.items() if not count and 'extra' not in name]
        if wrong or missing:
            told = ', '.join(f'{count:,} {name} instead of {self.expected[name]:,}' for name, count in found.items())
            raise DataError(
                f'{output.folder} has {told}: the archives are incomplete; --partial accepts a part of the data set'
            )
        return found
