"""The parts of a config's text that segmentation and detection share."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .request import Request

WIDTH = 119
NAMES = {'r18': 'ResNet-18', 'r50': 'ResNet-50', 'r101': 'ResNet-101'}


@dataclass(frozen=True)
class Choices:
    """The user's choices for the model and the training.

    Args:
        method: One of ``METHODS``.
        backbone: One of ``BACKBONES``.
        size: The short side of the images, and the side of the crops.
        iters: The iterations of the training.
        batch_size: The images of a step.
        weights: Those of the backbone; None for random ones.
        prefix: That of the backbone's keys in the weights.
    """

    method: str
    backbone: str
    size: int
    iters: int
    batch_size: int
    weights: str | None
    prefix: str | None


@dataclass(frozen=True)
class Text:
    """A config and the commands that use it."""

    config: str
    train: str
    predict: str


def head(title: str, counts: Mapping[str, int], commands: Sequence[str]) -> list[str]:
    numbers = ', '.join(f'{count} {split}' for split, count in counts.items())
    escaped = [command.replace('\\', '\\\\').replace('"""', "'''") for command in commands]
    return [f'"""{title}: {numbers} images.', '', *(f'    {command}' for command in escaped), '"""']


def commands_for(request: Request, checkpoint: str, images: Path) -> tuple[str, str]:
    config = shlex.quote(as_text(request.out))
    weights = shlex.quote(f'work_dirs/{request.out.stem}/{checkpoint}')
    return f'mmrev train {config}', f'mmrev predict {config} {weights} {shlex.quote(as_text(images))}'


def class_lines(classes: Sequence[str], palette: Sequence[Sequence[int]], file: Path | None) -> list[str]:
    if file:
        return [f"metainfo = __import__('json').load(open({as_text(file)!r}, encoding='utf-8'))"]
    return [
        *fill('metainfo = dict(classes=[', list(map(repr, classes)), '],'),
        *fill('    palette=[', [str(list(color)) for color in palette], '])'),
    ]


def interval(length: int, name: str = 'max_iters', long: int = 100) -> str:
    """Returns the interval of validations: ten in a long training, one in a short one."""
    return f'{name} // 10' if length >= long else name


def steps(*kinds: str) -> list[str]:
    return [f"dict(type='{kind}')" for kind in kinds]


def fill(start: str, parts: Sequence[str], end: str = ')') -> list[str]:
    """Fills lines with parts, each of which stays whole.

    Example:
        >>> fill('a = dict(', ['b=1', 'c=2'])
        ['a = dict(b=1, c=2)']
    """
    lines, line = [], start
    for index, part in enumerate(parts):
        piece = part + (end if index == len(parts) - 1 else ',')
        joined = line + piece if line == start else f'{line} {piece}'
        if len(joined) > WIDTH:
            lines.append(line)
            joined = '    ' + piece
        line = joined
    return [*lines, line]


def as_text(path: Path, root: Path | None = None) -> str:
    return (path.relative_to(root) if root else path).as_posix()
