"""The project's configs, by name, and what the tests of them ask for."""

import ast
import copy
import functools
from pathlib import Path

from mmengine.config import Config

from mmrev.datasets.checks import leaf_datasets

ROOT = Path(__file__).parents[1] / 'configs'
CONFIGS = {path.stem: path for path in sorted(ROOT.rglob('*.py')) if '_base_' not in path.parts}


def names_in(folder):
    return [name for name, path in CONFIGS.items() if path.parent.name == folder]


@functools.cache
def read(name):
    return Config.fromfile(CONFIGS[name])


def plain(name):
    """A copy, of plain dicts, that a test may change."""
    return copy.deepcopy(read(name).to_dict())


def datasets(name, split):
    return list(leaf_datasets(read(name)[f'{split}_dataloader'].dataset))


def steps(name, split='train'):
    """All steps of a pipeline by their type."""
    return {step.type: step for dataset in datasets(name, split) for step in dataset.pipeline}


def docstring(name):
    """Its paragraphs."""
    return ast.get_docstring(ast.parse(CONFIGS[name].read_text())).split('\n\n')
