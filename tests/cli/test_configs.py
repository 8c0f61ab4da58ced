import pytest
from fresh_process import run_fresh
from mmengine.config import Config

from mmrev.cli.arguments import run_parser
from mmrev.cli.configs import HOOKS, load_config
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
        ('_base_/no_such_part.py', ''),
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
    assert [hook.type for hook in cfg.custom_hooks] == [f'mmrev.{name}' for name in HOOKS]
    assert cfg.work_dir == 'work_dirs/c'
    assert load(str(tmp_path / 'c.py'), '--cfg-options', 'work_dir=x').work_dir == 'x'
    assert load(str(tmp_path / 'c.py'), '--work-dir', 'y').work_dir == 'y'
    assert len(load('ran_n_r18_camvid').custom_hooks) == len(HOOKS)


def test_a_config_in_any_folder_inherits_a_packaged_one_in_one_line(tmp_path):
    """In a process of its own, which has not imported mmrev."""
    (tmp_path / 'below').mkdir()
    (tmp_path / 'below/mine.py').write_text(
        "_base_ = str(__import__('mmrev').find_config('ran/ran_n_r18_camvid'))\nmodel = dict(backbone=dict(depth=50))\n"
    )
    code = """
import sys
from mmengine.config import Config
assert 'mmrev' not in sys.modules
cfg = Config.fromfile('below/mine.py')
print(cfg.model.decode_head.type, cfg.model.backbone.depth, cfg.num_classes)
"""
    out = run_fresh(code, path=[config_root().parent], cwd=tmp_path)
    assert out.split() == ['mmrev.ReverseAttentionHead', '50', '11']


def test_a_packaged_config_of_a_host_is_inherited(tmp_path):
    (tmp_path / 'mine.py').write_text(
        "_base_ = str(__import__('mmrev').find_config('mmseg::_base_/datasets/ade20k'))\n"
    )
    cfg = Config.fromfile(tmp_path / 'mine.py')
    assert cfg.train_dataloader.dataset.type == 'ADE20KDataset'
    with pytest.raises(ConfigError, match="unknown package 'mmfoo': use one of 'mmseg'"):
        find_config('mmfoo::x/y.py')
    with pytest.raises(ConfigError, match='config mmseg::x/y not found: expected a file below'):
        find_config('mmseg::x/y')


def test_the_spelling_that_mmengine_refuses_is_explained(tmp_path):
    (tmp_path / 'mine.py').write_text("_base_ = 'mmrev::ran/ran_n_r18_camvid.py'\n")
    with pytest.raises(ConfigError, match=r"Write _base_ = str\(__import__\('mmrev'\).find_config\("):
        load(str(tmp_path / 'mine.py'))
