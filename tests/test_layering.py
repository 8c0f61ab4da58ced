"""The layering rules of CONTRIBUTING.md, held against every import in the package, those inside functions too."""

import ast
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

import mmrev

PACKAGE = Path(mmrev.__file__).parent
BASE = {'arguments', 'config_files', 'errors', 'hosts', 'catalog', 'registry', 'version', ''}
# room: the rooms that it may import, besides BASE and itself
MAY_IMPORT = {
    'models.layers': set(),
    'evaluation': set(),
    'datasets': set(),
    'models.surgery': {'models.layers'},
    'models.backbones': {'models.layers', 'models.surgery'},
    'models.necks': {'models.layers'},
    'models.decode_heads': {'models.layers', 'models.surgery'},
    'models.segmentors': {'models.layers', 'models.decode_heads', 'evaluation'},
    'models': set(),
    'complexity': {'datasets'},
    'testing': {'datasets'},
    'reproduction': {'complexity', 'datasets', 'engine', 'testing'},
    'visualization': {'models.layers', 'models.decode_heads', 'models.segmentors'},
    'engine': {'datasets', 'evaluation', 'models.layers', 'visualization'},
    'prediction': {'datasets', 'engine', 'visualization'},
    'own_data': {'datasets', 'engine', 'prediction'},
    'web': {'models.decode_heads', 'prediction', 'visualization'},
    'preparation': set(),
    'publishing': {'datasets', 'engine', 'prediction'},
    'export': {'engine', 'models.layers', 'prediction'},
    'cli': {
        'complexity',
        'datasets',
        'engine',
        'evaluation',
        'export',
        'models.decode_heads',
        'own_data',
        'prediction',
        'preparation',
        'publishing',
        'reproduction',
        'testing',
        'visualization',
        'web',
    },
    '__main__': {'cli'},
}
# rooms that can be lifted out: the packages, besides the standard library, that they may import
LIGHT = {
    'models.layers': {'torch', 'numpy', 'numba', 'triton'},
    'evaluation': {'numpy', 'scipy', 'pydensecrf'},
    'errors': set(),
    'hosts': {'mmengine'},  # for a type checker only
    'catalog': set(),
    'config_files': {'mmengine'},
    'registry': {'mmengine'},
}


def room_of(module: str) -> str:
    parts = module.split('.')[1:]
    return '.'.join(parts[:2]) if '.'.join(parts[:2]) in MAY_IMPORT else '.'.join(parts[:1])


def imports() -> Iterator[tuple[str, str]]:
    """(module, what it imports) for each import statement."""
    for path in sorted(PACKAGE.rglob('*.py')):
        if '.mim' in path.parts:
            continue
        parts = path.relative_to(PACKAGE.parent).with_suffix('').parts
        package = '.'.join(parts[:-1])
        module = package if parts[-1] == '__init__' else '.'.join(parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield module, alias.name
            elif isinstance(node, ast.ImportFrom):
                target = resolve_name('.' * node.level + (node.module or ''), package) if node.level else node.module
                for alias in node.names:
                    inner = PACKAGE.parent.joinpath(*target.split('.'), alias.name)
                    is_module = inner.is_dir() or inner.with_suffix('.py').is_file()
                    yield module, f'{target}.{alias.name}' if is_module else target


IMPORTS = list(imports())


def test_every_room_is_known():
    assert {room_of(module) for module, _ in IMPORTS} <= MAY_IMPORT.keys() | BASE
    assert len(IMPORTS) > 300


@pytest.mark.parametrize('room', MAY_IMPORT)
def test_a_room_imports_only_the_rooms_below_it(room):
    found = {(module, target) for module, target in IMPORTS if room_of(module) == room and target.startswith('mmrev')}
    allowed = MAY_IMPORT[room] | BASE | {room}
    assert sorted(pair for pair in found if room_of(pair[1]) not in allowed) == []


@pytest.mark.parametrize('room', LIGHT)
def test_a_light_room_imports_little(room):
    found = {target.split('.')[0] for module, target in IMPORTS if room_of(module) == room}
    assert found, f'no imports found in {room}'
    assert found - sys.stdlib_module_names - {'mmrev'} <= LIGHT[room]


def test_no_room_hides_a_missing_package():
    """Hosts are found with find_spec: an ``except ImportError`` would hide a broken one."""
    hiding = [
        path.name
        for path in PACKAGE.rglob('*.py')
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and node.type and 'Import' in ast.unparse(node.type)
    ]
    # region construction falls back to tiles where Triton or Numba is not installed
    assert hiding == ['construction.py']
