"""The wheel that `make wheel` builds: its files and requirements, and that it works outside the repository."""

import email
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from fresh_process import run_fresh
from modelindex.load_model_index import load as load_model_index
from packaging.requirements import Requirement
from reading_configs import PAPERS

import mmrev
from mmrev.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
SOURCES = (
    'setup.py',
    'pyproject.toml',
    'MANIFEST.in',
    'README.md',
    'LICENSE',
    'model-index.yml',
    'mmrev',
    'configs',
    'tests',
)
STACK = {'torch', 'onedl-mmengine', 'onedl-mmcv', 'onedl-mmsegmentation', 'onedl-mmpretrain'}


def run(*command, **kwargs):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def dist(tmp_path_factory):
    source = tmp_path_factory.mktemp('source')
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    for folder in ('mmrev', 'configs/ran', 'mmrev/.mim/configs'):  # left over in a working tree
        cache = source / folder / '__pycache__'
        cache.mkdir(parents=True, exist_ok=True)
        (cache / 'left_over.cpython-311.pyc').touch()
    run(sys.executable, '-m', 'build', '--sdist', '--wheel', '--no-isolation', source)
    return source / 'dist'


@pytest.fixture(scope='module')
def wheel(dist):
    return next(dist.glob('*.whl'))


@pytest.fixture(scope='module')
def names(wheel):
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.fixture(scope='module')
def metadata(wheel):
    path = f'mmrev-{mmrev.__version__}.dist-info/METADATA'
    return email.message_from_bytes(zipfile.ZipFile(wheel).read(path))


@pytest.fixture(scope='module')
def installed(wheel, tmp_path_factory):
    target = tmp_path_factory.mktemp('installed')
    run(sys.executable, '-m', 'pip', 'install', '--quiet', '--no-deps', '--no-index', '--target', target, wheel)
    return target


def files(folder):
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob('*.*')
        if path.is_file() and not {'.mim', '__pycache__'} & {*path.parts}
    }


def test_every_module_and_every_config_is_inside(names):
    packaged = {name.removeprefix('mmrev/.mim/') for name in names if name.startswith('mmrev/.mim/')}
    assert 'configs/ran/ran_n_r101_pcontext.py' in packaged
    assert packaged == files('configs') | {'model-index.yml'}
    assert {name for name in names if name.startswith('mmrev/')} - {f'mmrev/.mim/{name}' for name in packaged} == files(
        'mmrev'
    )


def test_nothing_else_is_inside(names):
    assert all(name.startswith(('mmrev/', f'mmrev-{mmrev.__version__}.dist-info/')) for name in names)
    assert not [name for name in names if '__pycache__' in name or name.endswith('.pyc')]


def test_the_source_archive_holds_all_that_the_wheel_copies(dist):
    with tarfile.open(next(dist.glob('*.tar.gz'))) as archive:
        archived = {name.partition('/')[2] for name in archive.getnames()}
    assert files('configs') | {'model-index.yml', 'setup.py', 'mmrev/version.py'} <= archived
    assert not [name for name in archived if name.endswith('.pyc')]


def test_an_environment_that_has_a_stack_keeps_it(metadata):
    requirements = [Requirement(text) for text in metadata.get_all('Requires-Dist')]
    assert not [str(requirement) for requirement in requirements if 'extra ==' not in str(requirement.marker)]
    assert set(metadata.get_all('Provides-Extra')) == {
        'stack',
        'det',
        'crf',
        'demo',
        'log',
        'onnx',
        'prepare',
        'publish',
        'reproduce',
        'web',
        'dev',
    }


@pytest.mark.parametrize(
    ('extra', 'needs'),
    [
        ('stack', STACK),
        ('det', {*STACK, 'onedl-mmdetection'}),
        ('crf', {'pydensecrf2'}),
        ('demo', {*STACK, 'scikit-learn', 'scikit-image'}),
        ('reproduce', {'submitit'}),
        ('web', {'gradio'}),
        ('publish', {'safetensors'}),
        ('dev', {*STACK, 'onedl-mmdetection', 'pytest', 'ruff'}),
    ],
)
def test_an_empty_environment_takes_an_extra(extra, needs, metadata):
    requirements = [Requirement(text) for text in metadata.get_all('Requires-Dist')]
    assert needs <= {r.name for r in requirements if r.marker.evaluate({'extra': extra})}


def test_pip_unpacks_a_headless_opencv_over_the_other(metadata):
    # Both builds write the folder cv2/. pip installs them in reverse alphabetical order: the headless one comes last.
    opencv = [
        r.name
        for r in map(Requirement, metadata.get_all('Requires-Dist'))
        if 'opencv' in r.name and r.marker.evaluate({'extra': 'stack'})
    ]
    assert len(opencv) == 2 and min(opencv).endswith('-headless') and not max(opencv).endswith('-headless')


def test_a_packaged_config_is_found_and_read_from_any_folder(installed, tmp_path):
    code = """
from mmengine.config import Config
import mmrev
from mmrev.config_files import find_config
path = find_config('ran_n_r101_pcontext')
print(mmrev.__file__, path, Config.fromfile(path).model.decode_head.mode, sep='\\n')
"""
    assert run_fresh(code, path=[installed], cwd=tmp_path).splitlines() == [
        str(installed / 'mmrev/__init__.py'),
        str(installed / 'mmrev/.mim/configs/ran/ran_n_r101_pcontext.py'),
        'normalized',
    ]


@pytest.mark.parametrize('command', ['mmrev', 'python -m mmrev'])
def test_commands_are_listed_from_any_folder(command, installed, tmp_path):
    start = [installed / 'bin/mmrev'] if command == 'mmrev' else [sys.executable, '-m', 'mmrev']
    usage = run(*start, env={**os.environ, 'PYTHONPATH': str(installed)}, cwd=tmp_path)
    assert all(f'  {name} ' in usage for name in COMMANDS)


def test_the_packaged_index_loads_without_errors(installed):
    packaged = installed / 'mmrev/.mim'
    index = load_model_index(str(packaged / 'model-index.yml'))
    assert index.check(silent=True) == []
    assert len(list(index.collections)) == len(PAPERS) >= 4 and len(list(index.models)) >= 133
    assert all((packaged / model.config).is_file() for model in index.models)
