"""A short text that changes when a data set does."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .spread import spread


def fingerprint(dataset: Any, samples: int = 256) -> str | None:
    """Returns a text that depends on the names, sizes and labels of some evenly spaced samples, and on their order.

    The folder of the data set and the files' times do not matter, so a copy has the same fingerprint.

    Args:
        dataset: A built data set of any host.
        samples: How many samples to look at. No image is read.

    Returns:
        The text, or None if the data set does not list its files.

    Example:
        >>> class Data(list):
        ...     def get_data_info(self, index):
        ...         return self[index]
        >>> data = Data([dict(img_path='a/1.png', gt_label=0), dict(img_path='a/2.png', gt_label=1)])
        >>> moved = Data([dict(img_path='b/1.png', gt_label=0), dict(img_path='b/2.png', gt_label=1)])
        >>> fingerprint(data) == fingerprint(moved), fingerprint(data) == fingerprint(Data(reversed(data)))
        (True, False)
    """
    if not hasattr(dataset, 'get_data_info'):
        return fingerprint(dataset.dataset, samples) if hasattr(dataset, 'dataset') else None
    digest = hashlib.sha256()
    for index in spread(len(dataset), samples):
        for part in _parts(dataset.get_data_info(index)):
            digest.update(repr(part).encode())
    return digest.hexdigest()[:16]


def _parts(info: dict) -> Iterator[tuple]:
    for key in sorted(info):
        value = info[key]
        if isinstance(value, str) and key.endswith('_path'):
            file = Path(value)
            yield key, file.name, file.stat().st_size if file.is_file() else -1
        elif key in ('gt_label', 'instances'):
            yield key, str(value)
