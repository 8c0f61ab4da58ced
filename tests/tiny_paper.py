"""A made-up paper with two tables, whose trainings take a second: for the tests of ``mmrev reproduce``."""

import csv
from pathlib import Path

import tiny_runs
import yaml
from mmengine.config import Config

TABLES = [
    dict(Table='tiny/1', Dataset='a few made-up images', Metrics=['aAcc', 'mIoU']),
    dict(Table='tiny/2', Dataset='a few made-up images', Metrics=['mIoU', 'delta GFLOPs']),
]


def write(root: Path) -> Path:
    """Writes the configs and the metafile, and returns the folder of the configs.

    ``base`` trains, ``crf`` tests its weights with a CRF, ``broken`` has no data, and ``extra`` is in no table.
    """
    folder = root / 'configs/tiny'
    folder.mkdir(parents=True)
    base = tiny_runs.segmentation(root / 'data')
    base.param_scheduler[0]['end'] = 20
    changes = dict(
        base={},
        crf={'model.test_cfg.crf': dict(iterations=1)},
        broken={'train_dataloader.dataset.data_root': str(root / 'nowhere')},
        extra={},
    )
    for name, change in changes.items():
        cfg = Config(base.to_dict())
        cfg.merge_from_dict(change)
        cfg.dump(folder / f'{name}.py')
    models = [
        _model('broken', [_row('tiny/1', 'Broken', aAcc=60.0, mIoU=40.25)]),
        _model('base', [_row('tiny/1', 'Base', aAcc=None, mIoU=50.0)]),
        _model('crf', [_row('tiny/1', 'Base + CRF', aAcc=70.0, mIoU=51.0), _row('tiny/2', 'CRF', mIoU=51.0)], 'base'),
        _model('extra', []),
    ]
    (folder / 'metafile.yml').write_text(yaml.safe_dump(dict(Tables=TABLES, Models=models), sort_keys=False))
    return root / 'configs'


def _model(name: str, results: list[dict], weights: str | None = None) -> dict:
    model = dict(Name=name, Config=f'configs/tiny/{name}.py', Results=results)
    return {**model, 'Weights From': weights} if weights else model


def _row(table: str, method: str, **metrics: float | None) -> dict:
    (wanted,) = [each['Metrics'] for each in TABLES if each['Table'] == table]
    printed = {metric: metrics.get(metric) for metric in wanted}
    return {'Task': 'Semantic Segmentation', 'Paper table': table, 'Method': method, 'Metrics': printed}


def lines(out: Path) -> dict[tuple[str, str, str], dict[str, str]]:
    """The lines of the CSV file by config, seed and metric."""
    with (out / 'results.csv').open(newline='') as file:
        return {(line['config'], line['seed'], line['metric']): line for line in csv.DictReader(file)}


def cells(text: str, name: str) -> list[list[str]]:
    """The cells of the rows of a printed table that belong to a config."""
    rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines() if line.startswith('|')]
    return [row for row in rows if row[1] == name]
