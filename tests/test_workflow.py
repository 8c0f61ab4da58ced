"""The workflow of a public forge covers the stacks and the versions of Python that the project names."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
WORKFLOW = yaml.safe_load((ROOT / '.github/workflows/ci.yml').read_text())['jobs']['test']


def pythons(stack):
    matrix = WORKFLOW['strategy']['matrix']
    several = matrix['python'] if stack in matrix['stack'] else []
    return {*several, *(entry['python'] for entry in matrix['include'] if entry['stack'] == stack)}


def test_each_stack_runs_on_the_pythons_that_its_requirements_name():
    stacks = [folder.name for folder in (ROOT / 'requirements').iterdir() if folder.is_dir()]
    assert len(stacks) == 2
    for stack in stacks:
        first_line = (ROOT / 'requirements' / stack / 'torch.txt').read_text().splitlines()[0]
        least, most = re.search(r'Python 3\.(\d+) (?:to|and) 3\.(\d+)', first_line).groups()
        assert pythons(stack) == {f'3.{minor}' for minor in range(int(least), int(most) + 1)}


def test_it_runs_targets_of_the_makefile():
    targets = set(re.findall(r'^([\w-]+):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    run = [command for step in WORKFLOW['steps'] for command in re.findall(r'make ([\w-]+)', step.get('run', ''))]
    assert run == ['check', 'release-check', 'test-plain', 'test'] and set(run) <= targets
