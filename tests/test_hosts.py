import sys

import pytest
from fresh_process import fake_distributions, run_fresh
from mmengine.registry import Registry

from mmrev import hosts
from mmrev.errors import HostError, UserError
from mmrev.hosts import host_problem, register_explanations, require_host

OLD = {'mmseg': 'mmsegmentation', 'mmpretrain': 'mmpretrain', 'mmdet': 'mmdet', 'mmcv': 'mmcv'}
NEW = {
    'mmseg': 'onedl-mmsegmentation',
    'mmpretrain': 'onedl-mmpretrain',
    'mmdet': 'onedl-mmdetection',
    'mmcv': 'onedl-mmcv',
}
VERSIONS = {'mmseg': '1.4.2', 'mmpretrain': '1.3.6', 'mmdet': '3.5.1', 'mmcv': '2.3.6'}


@pytest.fixture(autouse=True)
def _ask_anew():
    host_problem.cache_clear()
    yield
    host_problem.cache_clear()


def lacking(monkeypatch, name):
    find_spec = hosts.find_spec
    monkeypatch.setattr(hosts, 'find_spec', lambda asked: None if asked == name else find_spec(asked))


def broken(monkeypatch, name, error):
    def import_module(asked):
        if asked == name:
            raise error

    monkeypatch.setattr(hosts, 'import_module', import_module)


@pytest.mark.parametrize('host', ['mmcv', 'mmseg', 'mmpretrain', 'mmdet'])
def test_what_is_installed_has_no_problem(host):
    assert host_problem(host) is None
    require_host(host, 'this')


@pytest.mark.parametrize('host', NEW)
def test_missing(host, monkeypatch):
    lacking(monkeypatch, host)
    assert host_problem(host) == f'{host} is not installed: pip install {NEW[host]}=={VERSIONS[host]}'


def test_a_host_needs_mmcv_too(monkeypatch):
    lacking(monkeypatch, 'mmcv')
    assert host_problem('mmseg') == 'mmcv is not installed: pip install onedl-mmcv==2.3.6'


@pytest.mark.parametrize(('package', 'host'), [(name, name) for name in NEW] + [('mmcv', 'mmseg')])
def test_two_owners_of_a_folder(package, host, monkeypatch, tmp_path):
    fake_distributions(tmp_path, (OLD[package], '1.2'), (NEW[package], '3.4'))
    monkeypatch.syspath_prepend(tmp_path)
    assert host_problem(host) == (
        f'{OLD[package]} 1.2 lies over {NEW[package]} 3.4 in the folder {package}/: pip uninstall -y {OLD[package]} && '
        f'pip install --force-reinstall --no-deps {NEW[package]}==3.4'
    )


def test_the_original_packages_alone_are_as_good(monkeypatch, tmp_path):
    fake_distributions(tmp_path, ('mmsegmentation', '1.2.2'), ('mmcv', '2.1.0'))
    monkeypatch.setattr(sys, 'path', [str(tmp_path)])
    assert host_problem('mmseg') is None


def test_beside_the_originals_an_original_is_advised(monkeypatch, tmp_path):
    fake_distributions(tmp_path, ('mmengine', '0.10.7'))
    monkeypatch.setattr(sys, 'path', [str(tmp_path)])
    lacking(monkeypatch, 'mmseg')
    assert host_problem('mmseg') == 'mmseg is not installed: pip install mmsegmentation==1.2.2'


def test_the_original_mmseg_needs_compiled_operators(monkeypatch, tmp_path):
    fake_distributions(tmp_path, ('mmengine', '0.10.7'))
    monkeypatch.setattr(sys, 'path', [str(tmp_path)])
    broken(monkeypatch, 'mmseg.models', ModuleNotFoundError("No module named 'mmcv._ext'"))
    problem = host_problem('mmseg')
    assert problem.startswith('mmcv is here without its compiled operators') and 'mmcv==2.1.0 (takes' in problem
    assert 'onedl' not in problem


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
        (AssertionError('MMCV==2.3.6 is incompatible.\nInstall another.'), 'MMCV==2.3.6 is incompatible.'),
        (AssertionError(), 'AssertionError'),
        (ModuleNotFoundError("No module named 'ftfy'"), "No module named 'ftfy'"),
    ],
)
def test_a_failing_import_gives_its_reason_in_one_line(error, reason, monkeypatch):
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
    assert host_problem('mmdet', ops=True) is None


def test_what_stands_in_for_a_class_of_a_missing_host_explains(monkeypatch):
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
        'mmrev.models.LargeFOVHead cannot be built: mmseg is not installed: pip install onedl-mmsegmentation==1.4.2'
    )
