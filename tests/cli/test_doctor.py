"""``mmrev doctor`` on this stack, on parts of it, on invented ones and without any."""

import os
import platform
import sys
from pathlib import Path

import pytest
from fresh_process import fake_distributions, run_fresh

from mmrev import __version__, hosts
from mmrev.cli import doctor
from mmrev.cli.main import main

STACK = ['torch', 'torchvision', 'numpy', 'mmengine', 'mmcv', 'mmseg', 'mmpretrain', 'mmdet', 'numba', 'triton']
RUN = 'import sys; from mmrev.cli.main import main; status = main(["doctor"]); print("status", status); '


@pytest.fixture(autouse=True)
def _ask_anew():
    hosts.host_problem.cache_clear()
    yield
    hosts.host_problem.cache_clear()


def rows(text):
    """{title: {row: value}} of a report."""
    parts = {}
    for line in text.splitlines():
        if line and not line.startswith(' '):
            part = parts[line] = {}
        elif line:
            part[line[2:18].strip()] = line[19:]
    return parts


def problems(monkeypatch, **of_hosts):
    monkeypatch.setattr(doctor, 'host_problem', lambda host, ops=False: of_hosts.get(host))


def test_this_stack(capsys):
    assert main(['doctor']) == 0
    text = capsys.readouterr().out
    report = rows(text)
    head = next(iter(report))
    assert head.startswith(f'mmrev {__version__}, Python {platform.python_version()}, ') and head.endswith(' CPUs')
    assert report['installed']['torch'] == hosts.metadata.version('torch')
    assert report['installed']['mmseg'].split()[-1] == hosts.metadata.version(hosts.owners('mmseg')[0])
    assert report['works']['segmentation'] == report['works']['classification'] == 'yes'
    assert report['hardware'].keys() == {'GPU', 'mmcv operators'}
    assert text.isascii() and '\x1b' not in text
    assert str(Path.home()) not in text and sys.prefix not in text


def test_it_runs_without_any_package():
    code = RUN + 'assert not {"torch", "numpy", "mmengine", "mmcv"} & sys.modules.keys()'
    text = run_fresh(code, absent=[*STACK, 'pydensecrf', 'cv2'])
    works = rows(text)['works']
    assert text.splitlines()[-1] == 'status 1'
    for row in ('segmentation', 'classification', 'detection'):
        assert works[row].startswith('no: mmengine is not installed: pip install ')
    assert works['RANet fast, CPU'].startswith('no: ') and works['RANet fast, CPU'].endswith('pip install numba')
    assert works['RANet fast, GPU'] == "no: No module named 'torch'"
    assert works['CRF fast'].endswith('pip install pydensecrf2==1.1')


@pytest.mark.parametrize(
    ('absent', 'fails', 'works', 'status'),
    [
        (['mmdet', 'numba'], ['detection', 'RANet fast, CPU'], ['segmentation', 'classification'], 0),
        (['mmseg'], ['segmentation'], ['classification', 'RANet fast, CPU'], 0),
        (['torch'], ['segmentation', 'classification', 'RANet fast, GPU'], ['RANet fast, CPU'], 1),
    ],
)
def test_some_packages_are_absent(absent, fails, works, status):
    text = run_fresh(RUN, absent=absent)
    report = rows(text)['works']
    assert text.splitlines()[-1] == f'status {status}'
    for row in fails:
        assert report[row].startswith('no: ') and any(name in report[row].lower() for name in absent)
    for row in works:
        assert report[row] == 'yes'


def test_two_owners_are_a_problem(tmp_path):
    fake_distributions(tmp_path, ('mmsegmentation', '1.2'), ('onedl-mmsegmentation', '3.4'))
    report = rows(run_fresh(RUN, path=[tmp_path]))
    assert report['installed']['mmseg'] == 'onedl-mmsegmentation 3.4, mmsegmentation 1.2  TWO OWNERS OF ONE FOLDER'
    assert ' lies over ' in report['works']['segmentation'] and 'pip uninstall -y ' in report['works']['segmentation']


def test_nothing_of_openmmlab(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, 'path', [str(tmp_path)])  # no metadata; the modules stay
    problems(monkeypatch, mmseg='not here', mmpretrain='not here')
    assert main(['doctor']) == 1
    out = capsys.readouterr().out
    assert rows(out)['installed']['mmcv'] == rows(out)['installed']['opencv'] == 'not installed'
    assert out.splitlines()[-1].endswith("for the rest: pip install 'mmrev[stack]' into an empty environment")


@pytest.mark.parametrize(
    ('broken', 'status'), [(['mmdet'], 0), (['mmseg'], 0), (['mmpretrain'], 0), (['mmseg', 'mmpretrain'], 1)]
)
def test_the_exit_status_asks_for_one_task(broken, status, monkeypatch, capsys):
    problems(monkeypatch, **dict.fromkeys(broken, 'this is broken'))
    assert main(['doctor']) == status
    assert capsys.readouterr().out.count('no: this is broken') == len(broken)


def test_a_package_that_fails_while_it_is_imported(monkeypatch, capsys):
    def import_module(name):
        raise OSError(f'{sys.prefix}/lib/{name}.so: cannot be read by {Path.home()}/me\nand more')

    monkeypatch.setattr(doctor, 'import_module', import_module)
    problems(monkeypatch, mmseg='broken', mmpretrain='broken')
    assert main(['doctor']) == 1
    report = rows(capsys.readouterr().out)
    assert report['hardware']['GPU'] == '<environment>/lib/torch.so: cannot be read by ~/me'
    assert report['works']['RANet fast, CPU'] == 'no: <environment>/lib/numba.so: cannot be read by ~/me'


def test_a_numpy_that_torch_does_not_see(monkeypatch, capsys):
    problems(monkeypatch)

    def numpy(tensor):
        raise RuntimeError('Numpy is not available')

    monkeypatch.setattr('torch.Tensor.numpy', numpy)
    assert main(['doctor']) == 1
    segmentation = rows(capsys.readouterr().out)['works']['segmentation']
    assert segmentation.endswith("cannot use this NumPy (Numpy is not available): pip install 'numpy<2'")


@pytest.mark.parametrize(('cuda', 'problem'), [('not available', True), ('12.1', False)])
def test_operators_for_a_cpu_beside_a_gpu(cuda, problem, monkeypatch, capsys):
    problems(monkeypatch)
    ops = type('ops', (), {'get_compiling_cuda_version': staticmethod(lambda: cuda)})
    monkeypatch.setitem(sys.modules, 'mmcv.ops', ops)
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    monkeypatch.setattr('torch.cuda.device_count', lambda: 2)
    monkeypatch.setattr('torch.cuda.get_device_name', lambda device: f'Card {device}')
    assert main(['doctor']) == 0
    report = rows(capsys.readouterr().out)
    assert report['hardware']['GPU'].startswith('Card 0, Card 1 (torch is built ')
    assert report['works']['segmentation'] == 'yes'
    assert report['works']['detection'].startswith("no: mmcv's operators are compiled for a CPU alone") == problem
    assert (report['works']['detection'] == 'yes') != problem


@pytest.mark.parametrize(('language', 'works'), [({}, False), ({'log2': None}, True)])
def test_a_triton_without_what_the_kernels_need(language, works, monkeypatch, capsys):
    problems(monkeypatch)
    monkeypatch.setitem(sys.modules, 'triton.language', type('language', (), language))
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    monkeypatch.setattr('torch.cuda.device_count', lambda: 0)
    main(['doctor'])
    fast = rows(capsys.readouterr().out)['works']['RANet fast, GPU']
    assert fast == 'yes' if works else fast.startswith('no: with Triton ') and "pip install 'torch>=2.4'" in fast


def test_a_container_counts_its_own_cpus(monkeypatch):
    monkeypatch.setattr(os, 'sched_getaffinity', lambda process: {0, 3, 5}, raising=False)
    assert next(doctor.versions()).endswith(', 3 CPUs')


def test_it_takes_no_arguments(capsys):
    with pytest.raises(SystemExit) as ended:
        main(['doctor', 'me'])
    assert ended.value.code == 2
