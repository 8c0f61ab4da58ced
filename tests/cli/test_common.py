import errno
import pickle

import malicious_checkpoints
import pytest
import torch

from mmrev.cli.common import config_parser, config_root, find_config, load_config, run
from mmrev.errors import ConfigError, DataError


@pytest.mark.parametrize(
    'name',
    [
        'configs/ran/ran_n_r18_camvid.py',
        './configs/ran/ran_n_r18_camvid.py',
        'ran/ran_n_r18_camvid.py',
        'ran/ran_n_r18_camvid',
        'ran_n_r18_camvid.py',
        'ran_n_r18_camvid',
    ],
)
def test_our_configs_are_found_from_any_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_config(name) == config_root() / 'ran/ran_n_r18_camvid.py'


def test_a_file_of_the_user_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'ran_n_r18_camvid').write_text('')
    assert find_config('ran_n_r18_camvid').resolve() == tmp_path / 'ran_n_r18_camvid'


@pytest.mark.parametrize(
    ('name', 'hint'),
    [
        ('ran/ran_m_r18_camvid.py', ': did you mean ran/ran_n_r18_camvid.py?'),
        ('_base_/default_runtime.py', ''),
        ('zzzzzz', ''),
    ],
)
def test_a_config_that_does_not_exist(name, hint):
    with pytest.raises(ConfigError) as error:
        find_config(name)
    assert f'config {name} not found' in str(error.value)
    assert str(error.value).endswith(hint or 'of mmrev')


def load(*argv: str):
    return load_config(config_parser('train', '').parse_args(list(argv)))


def test_a_config_gets_the_hooks_once_and_its_work_dir(tmp_path):
    (tmp_path / 'c.py').write_text("default_scope = 'mmseg'\ncustom_hooks = [dict(type='mmrev.CheckWeightsHook')]")
    cfg = load(str(tmp_path / 'c.py'))
    assert [hook.type for hook in cfg.custom_hooks] == ['mmrev.CheckWeightsHook', 'mmrev.GracefulStopHook']
    assert cfg.work_dir == 'work_dirs/c'
    assert load(str(tmp_path / 'c.py'), '--cfg-options', 'work_dir=x').work_dir == 'x'
    assert load(str(tmp_path / 'c.py'), '--work-dir', 'y').work_dir == 'y'
    assert len(load('ran_n_r18_camvid').custom_hooks) == 2


def outcome(error: BaseException, capsys) -> tuple[int, str]:
    def command(args):
        raise error

    status = run(command, config_parser('train', ''), ['x'])
    return status, capsys.readouterr().err


@pytest.mark.parametrize(
    ('error', 'line'),
    [
        (DataError('a.png: two\nlines'), 'a.png: two lines'),
        (
            DataError(
                'Caught DataError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n'
                '  File "x.py"\nmmrev.errors.DataError: a.png: label 30'
            ),
            'a.png: label 30',
        ),
        (OSError(errno.ENOSPC, 'No space left on device'), 'the disk is full'),
        (
            RuntimeError(
                '[enforce fail at inline_container.cc:668] . PytorchStreamWriter failed writing file data/3: file '
                'write failed'
            ),
            'the disk is full',
        ),
        (RuntimeError('DataLoader worker (pid 7) is killed by signal: Terminated. '), '--resume goes on from the last'),
        (torch.OutOfMemoryError('CUDA out of memory.'), 'out of GPU memory: halve train_dataloader.batch_size'),
        (FileNotFoundError(errno.ENOENT, 'No such file or directory', 'a.png'), "No such file or directory: 'a.png'"),
        (
            KeyError('X is not in the mmseg::model registry. Please check'),
            'X is not in the mmseg::model registry: check',
        ),
    ],
)
def test_what_a_user_can_mend_is_one_line(error, line, capsys):
    status, err = outcome(error, capsys)
    assert status == 1
    assert err.startswith('mmrev: error: ') and line in err and err.count('\n') == 1


def test_ctrl_c_is_one_line(capsys):
    assert outcome(KeyboardInterrupt(), capsys) == (130, 'mmrev: stopped\n')


@pytest.mark.parametrize('bug', [KeyError('x'), TypeError('f() takes 1 argument'), RuntimeError('shape'), ValueError()])
def test_a_bug_keeps_its_traceback(bug, capsys):
    with pytest.raises(type(bug)):
        outcome(bug, capsys)


def test_every_command_forbids_code_in_checkpoints(monkeypatch, tmp_path):
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    run(lambda args: None, config_parser('train', ''), ['x'])
    with pytest.raises(pickle.UnpicklingError):
        torch.load(malicious_checkpoints.write(malicious_checkpoints.plain, tmp_path), weights_only=False)
    assert not (tmp_path / malicious_checkpoints.MARK).exists()
