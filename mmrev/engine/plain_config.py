"""Configs as text that is read and never run.

A config is a Python program. The config of a published model comes from strangers, so its text is only a list of
``name = value``, and a value is made of numbers, texts, lists, tuples, dicts and sets.
"""

import ast
import re
from typing import Any

from mmengine.config import Config

from mmrev.errors import ConfigError
from mmrev.hosts import HOSTS

# A type with more dots is a path to any function in Python, which mmengine would import and call.
_TYPE = re.compile(rf'((mmrev|mmengine|mmcv|{"|".join(HOSTS)})\.)?\w+')


def plain_text(cfg: Config) -> str:
    """Returns the text of a config that :func:`read_plain` reads.

    Raises:
        ConfigError: The config holds a value that is not plain, such as a function, or a type by its path in Python.

    Example:
        >>> text = plain_text(Config(dict(seed=0, model=dict(type='FCNHead', channels=8))))
        >>> read_plain(text, 'the config').model
        {'channels': 8, 'type': 'FCNHead'}
    """
    text = cfg.pretty_text
    if read_plain(text, 'the config').to_dict() != cfg.to_dict():
        raise ConfigError('the config changes when it is written as text: use plain numbers, texts, lists and dicts')
    return text


def read_plain(text: str, name: str) -> Config:
    """Reads the text of a config without running it.

    Args:
        text: Lines ``name = value``. ``dict(a=1)`` is read as ``{'a': 1}``.
        name: The name of the source in messages.

    Raises:
        ConfigError: The text has more than plain values, or a type that is no registered name.

    Example:
        >>> read_plain("a = dict(b=[1, -2.5])", 'x').a.b
        [1, -2.5]
        >>> read_plain("a = open('x')", 'the config')
        Traceback (most recent call last):
        mmrev.errors.ConfigError: the config holds more than plain values (line 1: open('x')) ...
    """
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ConfigError(f'{name} is no text of a config ({type(error).__name__}): give your own config') from error
    values = {}
    for statement in statements:
        if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
            raise ConfigError(_refusal(name, statement))
        values[statement.targets[0].id] = _value(statement.value, name)
    _require_registered_types(values, name)
    return Config(values)


def _value(node: ast.expr, name: str) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'dict' and not node.args:
        pairs = [(keyword.arg, _value(keyword.value, name)) for keyword in node.keywords]
        if all(key is not None for key, _ in pairs):
            return dict(pairs)
    if isinstance(node, ast.Dict) and all(node.keys):
        return {
            _value(key, name): _value(value, name) for key, value in zip(node.keys, node.values, strict=True) if key
        }
    if isinstance(node, (ast.List, ast.Tuple)):
        items = [_value(item, name) for item in node.elts]
        return tuple(items) if isinstance(node, ast.Tuple) else items
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError) as error:
        raise ConfigError(_refusal(name, node)) from error


def _refusal(name: str, node: ast.stmt | ast.expr) -> str:
    part = ' '.join(ast.unparse(node).split())[:60]
    return (
        f'{name} holds more than plain values (line {node.lineno}: {part}), so it was not run: look at it, and give it '
        'as a config of your own'
    )


def _require_registered_types(node: Any, name: str) -> None:
    if isinstance(node, dict):
        kind = node.get('type')
        if isinstance(kind, str) and not _TYPE.fullmatch(kind):
            raise ConfigError(
                f'{name} has type={kind!r}: expected the name of a registered class, such as mmseg.FCNHead. A path in '
                'Python could be any function'
            )
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for part in node:
            _require_registered_types(part, name)
