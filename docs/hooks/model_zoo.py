"""The model zoo: a page made from the metafiles, which hold the figures that the papers print."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
HEAD = """# Model zoo

Each row is a config, and each figure is the one that **the paper prints**. No figure was reproduced here, and there are
no weights to download yet. [docs/results.md](docs/results.md) has what was measured here.

`mmrev train ran/ran_n_r101_pcontext.py` trains a row. `--quick` tries it in seconds, on made-up data.
[docs/reproduce.md](docs/reproduce.md) does it for a whole table, [docs/datasets.md](docs/datasets.md) names the data.
"""


def model_zoo() -> str:
    """The text of the page: a chapter for each metafile of ``model-index.yml``, a table for each table of its paper."""
    metafiles = _read('model-index.yml')['Import']
    chapters = [_chapter(Path(path).parent.as_posix(), _read(path)) for path in metafiles]
    return '\n'.join([HEAD, *chapters])


def _read(path: str) -> dict[str, Any]:
    # all values as text: a figure keeps the zeros at its end, as it is printed
    read: dict[str, Any] = yaml.load((ROOT / path).read_text(), Loader=yaml.BaseLoader)
    return read


def _chapter(folder: str, metafile: dict[str, Any]) -> str:
    (collection,) = metafile['Collections']
    paper = collection['Paper']
    lines = [
        f'## {collection["Name"]}\n',
        f'[{paper["Title"]}]({paper["URL"]}). Figures: {collection["Metadata"]["Figures"]}. '
        f'[{folder}/README.md]({folder}/README.md) has our assumptions.\n',
    ]
    rows = [(model, row) for model in metafile['Models'] for row in model.get('Results', [])]
    for table in metafile['Tables']:
        lines += _table(table, [(model, row) for model, row in rows if row['Paper table'] == table['Table']])
    if others := [_link(model) for model in metafile['Models'] if not model.get('Results')]:
        lines.append(f'Not of the paper, so without a printed figure: {", ".join(others)}.\n')
    return '\n'.join(lines)


def _table(table: dict[str, Any], rows: list[tuple[dict[str, Any], dict[str, Any]]]) -> Iterator[str]:
    metrics = list(dict.fromkeys(metric for _, row in rows for metric in row['Metrics']))
    yield f'### {table["Table"]}: {table["Dataset"]}\n'
    if note := table.get('Note'):
        yield f'{note.strip()}\n'
    if options := table.get('Test'):
        yield f'The rows are scored with `{" ".join(options)}`.\n'
    yield _line(['method', *metrics, 'config'])
    yield _line(['---', *['---:'] * len(metrics), '---'])
    for model, row in rows:
        notes = [row[key] for key in ('Variant', 'Printed in') if key in row and row[key] not in row['Method']]
        method = ', '.join([row['Method'], *notes])
        yield _line([method, *(_figure(row['Metrics'].get(metric, 'null')) for metric in metrics), _link(model)])
    yield ''


def _link(model: dict[str, Any]) -> str:
    weights = f' (the weights of {model["Weights From"]})' if 'Weights From' in model else ''
    return f'[{model["Name"]}]({model["Config"]}){weights}'


def _figure(value: str) -> str:
    return '–' if value == 'null' else value


def _line(cells: list[str]) -> str:
    return '| ' + ' | '.join(cell.replace('|', r'\|') for cell in cells) + ' |'
