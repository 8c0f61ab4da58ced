"""The names and colours of classes in the user's file."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mmrev.errors import ConfigError
from mmrev.prediction.names import shown

_COLOR = r'(?P<red>\d{1,3})[\s,;]+(?P<green>\d{1,3})[\s,;]+(?P<blue>\d{1,3})'
COLOR_FIRST = re.compile(rf'^{_COLOR}[\s,;:]+(?P<name>\S.*)$')
COLOR_LAST = re.compile(rf'^(?P<name>.*?\S)[\s,;:]+{_COLOR}[\s,;:]*$')
EXPECTED = 'expected a text file with a name on each line (and its colour: "road 128 64 128"), JSON, or YAML with names'


@dataclass(frozen=True)
class ClassFile:
    """The classes of a file.

    Args:
        names: Their names.
        palette: Their colours, red, green and blue; None without.
    """

    names: Sequence[str]
    palette: Sequence[Sequence[int]] | None = None


def read_classes(path: Path) -> ClassFile:
    """Reads a file of classes.

    Text has a name on each line, with or without its colour (``sky 128 128 128`` or ``128 128 128 sky``). Lines with
    ``#`` in front are left out. JSON is a list of names, or an object of names and colours. YAML is YOLO's
    ``data.yaml``.

    Raises:
        ConfigError: The file is missing, or has no names, a name twice, or colours for some names only.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, 'classes.txt')
        ...     _ = file.write_text('sky 128 128 128\\ntraffic sign 192 128 128')
        ...     read_classes(file)
        ClassFile(names=['sky', 'traffic sign'], palette=[[128, 128, 128], [192, 128, 128]])
    """
    try:
        text = path.read_text(encoding='utf-8-sig')
        entries = _entries(path, text)
    except OSError as error:
        raise ConfigError(f'{shown(path)} cannot be read ({error.strerror}): {EXPECTED}') from error
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise ConfigError(f'{shown(path)} is no list of classes: {EXPECTED}') from error
    names = [name for name, _ in entries]
    if not names:
        raise ConfigError(f'{shown(path)} names no classes: {EXPECTED}')
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ConfigError(f'{shown(path)} names the class {twice!r} twice: give each class a name of its own')
    colors = [color for _, color in entries if color is not None]
    if colors and len(colors) < len(names):
        lacks = next(name for name, color in entries if color is None)
        raise ConfigError(f'{shown(path)} has no colour for {lacks!r}: write three numbers from 0 to 255 behind it')
    return ClassFile(names, colors or None)


def _entries(path: Path, text: str) -> list[tuple[str, list[int] | None]]:
    if path.suffix.lower() == '.json':
        return _from_object(json.loads(text))
    if path.suffix.lower() in ('.yaml', '.yml'):
        return _from_object(yaml.safe_load(text)['names'])
    return [_from_line(line.strip()) for line in text.splitlines() if line.strip() and not line.startswith('#')]


def _from_object(content: Any) -> list[tuple[str, list[int] | None]]:
    if isinstance(content, dict) and all(isinstance(value, str) for value in content.values()):
        # indices and names
        return [(content[key], None) for key in sorted(content, key=int)]
    if isinstance(content, dict):
        return [(str(name), _color(value)) for name, value in content.items()]
    return [(str(name), None) for name in list(content)]


def _from_line(line: str) -> tuple[str, list[int] | None]:
    for pattern in (COLOR_LAST, COLOR_FIRST):
        if match := pattern.match(line):
            return match['name'].strip(' ,;:'), _color([match[part] for part in ('red', 'green', 'blue')])
    return line, None


def _color(value: Sequence[Any]) -> list[int]:
    color = [int(part) for part in value]
    if len(color) != 3 or not all(0 <= part <= 255 for part in color):
        raise ValueError(f'{value} is no colour')
    return color
