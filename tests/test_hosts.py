import importlib
import sys

import pytest
from fresh_process import fake_distributions, run_fresh
from mmengine.registry import Registry
from stacks import own

from mmrev import hosts
from mmrev.errors import HostError, UserError
from mmrev.hosts import host_problem, register_explanations, require_host

OLD = {'mmengine': 'mmengine', 'mmcv': 'mmcv', 'mmseg': 'mmsegmentation', 'mmpretrain': 'mmpretrain', 'mmdet': 'mmdet'}
NEW = {
    'mmengine': 'onedl-mmengine',
    'mmcv': 'onedl-mmcv',
    'mmseg': 'onedl-mmsegmentation',
    'mmpretrain': 'onedl-mmpretrain',
    'mmdet': 'onedl-mmdetection',
}
VERSIONS = {'mmengine': '0.10.12', 'mmseg': '1.4.2', 'mmpretrain': '1.3.6', 'mmdet': '3.5.1', 'mmcv': '2.3.6'}
COMPILE = 'pip install --force-reinstall --no-deps --no-cache-dir --no-build-isolation {} (takes minutes; needs g++, '
COMPILE += 'ninja and setuptools 80)'


@pytest.fixture(autouse=True)
def _ask_anew():
    host_problem.cache_clear()
    yield
    host_problem.cache_clear()


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Gives a function that makes these distributions the only ones: (name, version) each. The modules stay."""
    for module in OLD:
        importlib.import_module(module)

    def only(*distributions):
        fake_distributions(tmp_path, *distributions)
        monkeypatch.setattr(sys, 'path', [str(tmp_path)])

    return only


def lacking(monkeypatch, name):
    find_spec = hosts.find_spec
    monkeypatch.setattr(hosts, 'find_spec', lambda asked: None if asked == name else find_spec(asked))


def broken(monkeypatch, name, error):
    def import_module(asked):
        if asked == name:
            raise error

    monkeypatch.setattr(hosts, 'import_module', import_module)


@pytest.mark.parametrize('host', ['mmengine', 'mmcv', 'mmseg', 'mmpretrain', 'mmdet'])
def test_what_is_installed_has_no_problem(host):
    assert host_problem(host) is None
    require_host(host, 'this')


@pytest.mark.parametrize('host', NEW)
def test_missing(host, monkeypatch, installed):
    installed()
    lacking(monkeypatch, host)
    assert host_problem(host) == f'{host} is not installed: pip install {NEW[host]}=={VERSIONS[host]}'


@pytest.mark.parametrize('package', ['mmengine', 'mmcv'])
def test_a_host_needs_mmengine_and_mmcv_too(package, monkeypatch, installed):
    installed()
    lacking(monkeypatch, package)
    assert host_problem('mmseg') == f'{package} is not installed: pip install {NEW[package]}=={VERSIONS[package]}'


@pytest.mark.parametrize(('package', 'host'), [(name, name) for name in NEW] + [('mmcv', 'mmseg')])
def test_two_owners_of_a_folder(package, host, installed):
    installed((OLD[package], '1.2'), (NEW[package], '3.4'))
    assert host_problem(host) == (
        f'{OLD[package]} 1.2 lies over {NEW[package]} 3.4 in the folder {package}/: pip uninstall -y {OLD[package]} && '
        f'pip install --force-reinstall --no-deps {NEW[package]}==3.4'
    )


def test_among_the_originals_the_continuation_is_the_intruder(installed):
    installed(('mmengine', '0.10.7'), ('mmsegmentation', '1.2.2'), ('onedl-mmsegmentation', '1.4.2'))
    assert host_problem('mmseg') == (
        'onedl-mmsegmentation 1.4.2 lies over mmsegmentation 1.2.2 in the folder mmseg/: pip uninstall -y '
        'onedl-mmsegmentation && pip install --force-reinstall --no-deps mmsegmentation==1.2.2'
    )


def test_mmcv_lite_below_mmcv_is_a_second_owner(installed):
    installed(('mmengine', '0.10.7'), ('mmcv', '2.1.0'), ('mmcv-lite', '2.1.0'))
    assert host_problem('mmseg') == (
        'mmcv-lite 2.1.0 lies over mmcv 2.1.0 in the folder mmcv/: pip uninstall -y mmcv-lite && '
        + COMPILE.format('mmcv==2.1.0')
    )


def test_the_original_packages_alone_are_as_good(installed):
    installed(('mmengine', '0.10.7'), ('mmsegmentation', '1.2.2'), ('mmcv', '2.1.0'))
    assert host_problem('mmseg') is None


def test_beside_the_originals_an_original_is_advised(monkeypatch, installed):
    installed(('mmengine', '0.10.7'))
    lacking(monkeypatch, 'mmseg')
    assert host_problem('mmseg') == 'mmseg is not installed: pip install mmsegmentation==1.2.2'


def test_the_original_mmcv_is_compiled_beside_torch(monkeypatch, installed):
    installed(('mmengine', '0.10.7'))
    lacking(monkeypatch, 'mmcv')
    assert host_problem('mmseg') == f'mmcv is not installed: {COMPILE.format("mmcv==2.1.0")}'


@pytest.mark.parametrize('others', ['', 'mmcv-lite'])
def test_the_original_mmseg_needs_compiled_operators(others, monkeypatch, installed):
    installed(('mmengine', '0.10.7'), *[(name, '2.1.0') for name in others.split()])
    broken(monkeypatch, 'mmseg.models', ModuleNotFoundError("No module named 'mmcv._ext'"))
    uninstall = f'pip uninstall -y {others} && ' if others else ''
    assert host_problem('mmseg') == (
        'mmcv is here without its compiled operators, which detectors and some heads need: '
        + uninstall
        + COMPILE.format('mmcv==2.1.0')
    )


def test_without_libgl_the_headless_opencv_is_named(monkeypatch):
    broken(monkeypatch, 'mmcv', ImportError('libGL.so.1: cannot open shared object file: No such file or directory'))
    assert host_problem('mmseg') == (
        'mmcv does not import: libGL.so.1: cannot open shared object file: No such file or directory. On a machine '
        'without a screen: pip uninstall -y opencv-python && pip install --force-reinstall --no-deps '
        'opencv-python-headless'
    )


@pytest.mark.parametrize(
    ('error', 'reason'),
    [
        (
            AssertionError('MMCV==2.2.0 is incompatible.\nInstall another.'),
            'MMCV==2.2.0 is incompatible. Here: pip install onedl-mmcv==2.3.6',
        ),
        (AssertionError(), 'AssertionError'),
        (ModuleNotFoundError("No module named 'ftfy'", name='ftfy'), "No module named 'ftfy': pip install ftfy"),
        (ModuleNotFoundError("No module named 'PIL'", name='PIL'), "No module named 'PIL': pip install pillow"),
    ],
)
def test_a_failing_import_gives_its_reason_in_one_line(error, reason, monkeypatch, installed):
    installed()
    broken(monkeypatch, 'mmpretrain', error)
    assert host_problem('mmpretrain') == f'mmpretrain does not import: {reason}'


def test_detectors_need_compiled_operators(monkeypatch):
    lacking(monkeypatch, 'mmcv._ext')
    assert host_problem('mmdet') is None
    problem = host_problem('mmdet', ops=True)
    assert problem.startswith('mmcv is here without its compiled operators') and '--no-build-isolation' in problem
    assert '\n' not in problem


def test_compiled_operators_that_are_there_are_no_problem(monkeypatch):
    monkeypatch.setattr(hosts, 'find_spec', lambda name: object())
    monkeypatch.setattr(hosts, 'import_module', lambda name: None)
    assert host_problem('mmdet', ops=True) is None


def test_operators_that_another_torch_compiled_are_not_there(monkeypatch, installed):
    installed()
    monkeypatch.setattr(hosts, 'find_spec', lambda name: object())
    broken(
        monkeypatch, 'mmcv.ops', ImportError('/lib/mmcv/_ext.cpython-311-x86_64-linux-gnu.so: undefined symbol: _Z1')
    )
    assert host_problem('mmdet') is None
    assert host_problem('mmdet', ops=True) == (
        "mmcv's compiled operators do not load, perhaps another torch compiled them: "
        f'{COMPILE.format("onedl-mmcv==2.3.6")}. '
        '/lib/mmcv/_ext.cpython-311-x86_64-linux-gnu.so: undefined symbol: _Z1'
    )


def test_what_stands_in_for_a_class_of_a_missing_host_explains(monkeypatch, installed):
    installed()
    registry = Registry('model', scope='test_hosts')
    register_explanations(registry, 'mmseg', ['First', 'Second'])
    lacking(monkeypatch, 'mmseg')
    for name in ('First', 'Second'):
        with pytest.raises(HostError) as caught:
            registry.get(name)(1, anything=2)
        assert str(caught.value) == (
            f'mmrev.{name} cannot be built: mmseg is not installed: pip install onedl-mmsegmentation==1.4.2'
        )
        assert isinstance(caught.value, UserError) and isinstance(caught.value, ImportError)


def test_importing_a_name_without_its_host_explains():
    code = 'try: from mmrev.models import LargeFOVHead\nexcept ImportError as error: print(error)'
    assert run_fresh(code, absent=['mmseg', 'torch']).strip() == (
        f'mmrev.models.LargeFOVHead cannot be built: mmseg is not installed: pip install {"==".join(own("mmseg"))}'
    )
