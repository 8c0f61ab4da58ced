"""The names of pictures: in messages, and in the folder of predictions."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path


def shown(path: str | Path) -> str:
    r"""Returns a file name for a message of one line.

    Example:
        >>> shown('two\nlines.jpg'), shown('Straße 1.jpg')
        ('two\\nlines.jpg', 'Straße 1.jpg')
    """
    text = os.fsencode(path).decode(errors='replace')
    return ''.join(letter if letter.isprintable() else letter.encode('unicode_escape').decode() for letter in text)


def output_names(files: Sequence[tuple[Path, Path]]) -> list[str]:
    """Names the predictions after their files. No two names are equal.

    A name has the file's folders below the folder that the user gave, and no suffix. Where two names would be equal,
    both get their next folder. Where two files of one folder differ in the suffix alone, all of that folder keep it.

    Args:
        files: The folder that the user gave, and the file in it.

    Example:
        >>> folder = Path('/photos')
        >>> output_names([(folder, folder / 'a.jpg'), (folder, folder / 'new/b.jpg')])
        ['a', 'new/b']
        >>> output_names([(folder / day, folder / day / 'a.jpg') for day in ('may', 'june')])
        ['may/a', 'june/a']
        >>> output_names([(folder, folder / name) for name in ('a.jpg', 'a.png', 'b.png')])
        ['a.jpg', 'a.png', 'b.png']
    """
    stems = Counter(path.with_suffix('') for _, path in files)
    ambiguous = {stem.parent for stem, count in stems.items() if count > 1}
    ends = [path if path.parent in ambiguous else path.with_suffix('') for _, path in files]
    depths = [len(path.relative_to(root).parts) for root, path in files]
    while True:
        names = ['/'.join(end.parts[-depth:]) for end, depth in zip(ends, depths, strict=True)]
        counts = Counter(names)
        if max(counts.values(), default=0) < 2:
            return names
        depths = [depth + (counts[name] > 1) for name, depth in zip(names, depths, strict=True)]
