import pytest

from mmrev.cli.arguments import run_parser
from mmrev.cli.configs import load_config
from mmrev.config_files import config_root, find_config
from mmrev.errors import ConfigError


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
    return load_config(run_parser('train', '').parse_args(list(argv)))


def test_a_config_gets_the_hooks_once_and_its_work_dir(tmp_path):
    (tmp_path / 'c.py').write_text("default_scope = 'mmseg'\ncustom_hooks = [dict(type='mmrev.CheckWeightsHook')]")
    cfg = load(str(tmp_path / 'c.py'))
    assert [hook.type for hook in cfg.custom_hooks] == ['mmrev.CheckWeightsHook', 'mmrev.GracefulStopHook']
    assert cfg.work_dir == 'work_dirs/c'
    assert load(str(tmp_path / 'c.py'), '--cfg-options', 'work_dir=x').work_dir == 'x'
    assert load(str(tmp_path / 'c.py'), '--work-dir', 'y').work_dir == 'y'
    assert len(load('ran_n_r18_camvid').custom_hooks) == 2
