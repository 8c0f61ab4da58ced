"""The notebooks run from top to bottom, and git holds none of their output."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / 'notebooks').glob('*.ipynb'))


def read(path):
    return pytest.importorskip('nbformat').read(path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == 'code']


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_stripped(path):
    cells = code(read(path))
    assert cells and all(not cell.outputs and cell.execution_count is None for cell in cells)


@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_the_first_cell_installs(path):
    first = code(read(path))[0].source
    assert "'pip', 'install'" in first and "find_spec('mmrev') is None" in first


@pytest.mark.slow
@pytest.mark.parametrize('path', NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_from_top_to_bottom(path, tmp_path, monkeypatch):
    nbclient = pytest.importorskip('nbclient')
    pytest.importorskip('ipykernel')
    script = tmp_path / 'bin/mmrev'
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m mmrev "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv('PATH', f'{script.parent}{os.pathsep}{os.environ["PATH"]}')
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')]))
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    notebook = read(path)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name='python3', resources={'metadata': {'path': str(tmp_path)}}
    ).execute()
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    pictures = [output for output in outputs if 'image/png' in output.get('data', {})]
    assert len(pictures) == 2 and 'No module' not in str(outputs) and 'mmrev: error' not in str(outputs)
    assert (tmp_path / 'work_dirs/my/iter_4.pth').is_file()
