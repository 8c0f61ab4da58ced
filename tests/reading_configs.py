"""Reads the project's configs and metafiles by name, for the tests."""

import ast
import copy
import functools
from importlib.util import find_spec
from pathlib import Path

import yaml
from mmengine.config import Config

from mmrev.datasets.checks import leaf_datasets

ROOT = Path(__file__).parents[1] / 'configs'
CONFIGS = {path.stem: path for path in sorted(ROOT.rglob('*.py')) if '_base_' not in path.parts}
PAPERS = sorted(path.parent.name for path in ROOT.glob('*/metafile.yml'))
# One table of RA-Net has one column for two metrics.
METRIC_OF_TASK = {'Instance Segmentation': 'mask AP', 'Semantic Segmentation': 'mIoU'}


def names_in(folder):
    return [name for name, path in CONFIGS.items() if path.parent.name == folder]


@functools.cache
def read(name):
    return Config.fromfile(CONFIGS[name])


def plain(name):
    """A copy of a config as plain dicts. A test may change it."""
    return copy.deepcopy(read(name).to_dict())


def datasets(name, split):
    return list(leaf_datasets(read(name)[f'{split}_dataloader'].dataset))


def steps(name, split='train'):
    """All steps of a pipeline by their type."""
    return {step.type: step for dataset in datasets(name, split) for step in dataset.pipeline}


def docstring(name):
    """The paragraphs of a config's header."""
    return ast.get_docstring(ast.parse(CONFIGS[name].read_text())).split('\n\n')


def bases(path):
    """The files that a config file inherits from directly."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == '_base_':
            value = ast.literal_eval(node.value)
            return [_base_path(path, base) for base in ([value] if isinstance(value, str) else value)]
    return []


def _base_path(path, base):
    package, _, inside = base.partition('::')
    if inside:
        return Path(find_spec(package).origin).parent / '.mim/configs' / inside
    return (path.parent / base).resolve()


def longest_chain(path):
    """The longest chain of files that a config inherits through, with the config itself in front."""
    return [path, *max((longest_chain(base) for base in bases(path)), key=len, default=[])]


@functools.cache
def metafile(paper):
    """A paper's metafile. Each value stays text, so that a figure keeps its digits."""
    return yaml.load((ROOT / paper / 'metafile.yml').read_text(), yaml.BaseLoader)


def results(name):
    """The rows of the paper's tables that a config is."""
    (model,) = [model for model in metafile(CONFIGS[name].parent.name)['Models'] if model['Name'] == name]
    return model.get('Results', [])


def figures(name):
    """The figures of a config as its header and the README write them: 'mIoU 47.3 (table 2 msc)'."""
    rows_by_text = {}
    for row in results(name):
        printed = [f'{_metric(row, metric)} {value}' for metric, value in row['Metrics'].items() if value != 'null']
        rows_by_text.setdefault(', '.join(printed) or 'no figure', []).append(row)
    return '; '.join(f'{text} ({_place(rows)})' for text, rows in rows_by_text.items()) or 'no figure'


def _metric(row, metric):
    return METRIC_OF_TASK[row['Task']] if metric == 'mask AP or mIoU' else metric


def _place(rows):
    if 'Printed in' in rows[0]:
        return rows[0]['Printed in']
    numbers = [' '.join([row['Paper table'].split('/')[1], row.get('Variant', '')]).rstrip() for row in rows]
    return f'{"tables" if len(numbers) > 1 else "table"} {", ".join(numbers)}'
