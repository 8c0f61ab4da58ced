"""A progress bar, where tqdm is installed."""

from contextlib import nullcontext
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any


def progress_bar(total: int, wanted: bool) -> Any:
    """Makes a context manager with a progress bar on a terminal.

    Example:
        >>> with progress_bar(2, wanted=False) as bar:
        ...     bar.update()
    """
    if find_spec('tqdm') is None:
        return nullcontext(SimpleNamespace(update=lambda count=1: None))
    from tqdm import tqdm

    return tqdm(total=total, unit='image', disable=None if wanted else True)
