"""The record of a folder of predictions: what made them, and which pictures are done."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmrev.errors import DataError

from .files import write_error, write_file
from .names import shown

NAME = 'predictions.jsonl'


class Journal:
    """A file with a line on what made the predictions, and two lines for each picture: begun and done.

    A line is written at once, so that a run that is killed can be continued. The file is the source of the tables.

    Args:
        folder: The folder of the predictions.
        header: The origin of the predictions. Its ``notes`` may differ from those of earlier runs.
        force: Whether predictions that others made may be replaced.

    Raises:
        DataError: The folder cannot be written, or something else made its predictions.
    """

    def __init__(self, folder: Path, header: Mapping[str, Any], force: bool = False) -> None:
        self.path = folder / NAME
        self.header = dict(header)
        self.rows: dict[str, dict] = {}
        self.begun: set[str] = set()
        old = self._read()
        same = json.loads(json.dumps(self.header))
        changed = [key for key in same if old and key != 'notes' and old[0].get(key) != same[key]]
        if changed and not force:
            raise DataError(
                f'{shown(folder)} has predictions with another {changed[0]}: name another folder with --out, '
                'or replace them with --force'
            )
        if not changed:
            for line in old[1:]:
                self._take(line)
        # a line that was cut off by a kill is gone after this
        lines = [self.header, *({'begun': name} for name in sorted(self.begun)), *self.rows.values()]
        text = ''.join(f'{json.dumps(line)}\n' for line in lines)
        write_file(self.path, lambda file: file.write(text.encode()))

    def begin(self, name: str) -> None:
        """Notes that the files of a picture are about to be written."""
        self._write({'begun': name})

    def add(self, row: dict) -> None:
        """Notes that the files of a picture are written. The row has its ``name``."""
        self._write(row)

    def forget(self, names: Sequence[str]) -> None:
        """Takes pictures as not done. Their files may be replaced."""
        for name in names:
            self.rows.pop(name, None)
            self.begun.add(name)

    def _write(self, line: dict) -> None:
        try:
            with open(self.path, 'a', encoding='utf-8') as file:
                file.write(f'{json.dumps(line)}\n')
        except OSError as error:
            raise write_error(self.path, error) from error
        self._take(line)

    def _take(self, line: dict) -> None:
        if 'begun' in line:
            self.begun.add(line['begun'])
        else:
            self.rows[line['name']] = line

    def _read(self) -> list[dict]:
        if not os.path.exists(self.path):
            return []
        lines = []
        for text in self.path.read_text(encoding='utf-8', errors='replace').splitlines():
            try:
                lines.append(json.loads(text))
            except ValueError:  # cut off by a kill or a full disk
                continue
        if lines and 'mmrev' not in lines[0]:
            raise DataError(f'{shown(self.path)} is no record of predictions: name another folder with --out')
        return lines
