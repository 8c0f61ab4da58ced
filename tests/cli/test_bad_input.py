"""Each mistake of a user ends the program with an exit status and one line that says what to do."""

import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_runs

from mmrev.cli import check_data, train
from mmrev.cli.main import main as mmrev
from mmrev.hosts import host_problem


def root(cfg) -> Path:
    return Path(cfg.train_dataloader.dataset.data_root)


def image(cfg, index: int = 0) -> Path:
    return sorted((root(cfg) / 'images/train').iterdir())[index]


def mask(cfg, index: int = 0) -> Path:
    return sorted((root(cfg) / 'annotations/train').iterdir())[index]


def test_a_missing_data_root_before_the_model_is_built(cfg, refused):
    cfg.train_dataloader.dataset.data_root = 'nowhere/CamVid'
    cfg.model.type = 'NoSuchModel'
    line = refused(train.main)
    assert 'nowhere/CamVid is missing' in line
    assert str(Path.cwd()) in line and '480 x 360' in line and '--quick' in line


def remove_folder(cfg) -> str:
    (root(cfg) / 'annotations/train').rename(root(cfg) / 'gone')
    return 'annotations/train is missing'


def empty_split(cfg) -> str:
    for path in (root(cfg) / 'images/train').iterdir():
        path.unlink()
    cfg.train_dataloader.dataset.serialize_data = True  # mmengine's default, which it cannot do to nothing
    return 'the train split of CamVidDataset is empty: expected images (*.'


def missing_list(cfg) -> str:
    cfg.train_dataloader.dataset.ann_file = 'train.txt'
    return 'train.txt is missing'


def broken_image(cfg) -> str:
    image(cfg).write_bytes(image(cfg).read_bytes()[:50])
    return f'{image(cfg)} cannot be read'


def broken_mask(cfg) -> str:
    mask(cfg).write_bytes(b'')
    return f'{mask(cfg)} cannot be read'


def missing_mask(cfg) -> str:
    path = mask(cfg)
    path.unlink()
    return f'{path} is missing'


def high_label(cfg, index: int = 0) -> str:
    cv2.imwrite(str(mask(cfg, index)), np.full((48, 64), 30, np.uint8))
    return f'{mask(cfg, index)}: label 30 in the mask, expected 0 to 10 or 255'


def other_size(cfg) -> str:
    cv2.imwrite(str(mask(cfg)), np.zeros((64, 48), np.uint8))
    return f'{mask(cfg)}: the mask is (64, 48) and its image (48, 64)'


def coloured_mask(cfg) -> str:
    cv2.imwrite(str(mask(cfg)), np.zeros((48, 64, 3), np.uint8))
    return f'{mask(cfg)} is a colour mask (height, width, channels: (48, 64, 3))'


def other_classes(cfg) -> str:
    cfg.model.decode_head.num_classes = 5
    return 'CamVidDataset has 11 classes and the head num_classes=5: set num_classes=11'


def no_folder_of_masks(cfg) -> str:
    cfg.train_dataloader.dataset.data_prefix.seg_map_path = None
    return (
        'CamVidDataset: data_prefix.seg_map_path=None: give a folder below data_root. A data set without these files '
        'leaves the key out'
    )


def no_masks(cfg) -> str:
    del cfg.train_dataloader.dataset.data_prefix.seg_map_path
    return 'LoadAnnotations reads masks, and the data set lists none: name their folder in data_prefix.seg_map_path'


@pytest.mark.parametrize(
    'damage',
    [
        remove_folder,
        no_folder_of_masks,
        no_masks,
        empty_split,
        missing_list,
        broken_image,
        broken_mask,
        missing_mask,
        high_label,
        other_size,
        coloured_mask,
        other_classes,
    ],
)
def test_data(damage, cfg, refused):
    message = damage(cfg)
    assert message in refused(train.main)
    assert message in refused(check_data.main)


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (broken_image, 'images/train/'),
        (broken_mask, 'mmrev check-data'),
        (missing_mask, 'annotations/train/'),
        (high_label, 'label 30'),
        (other_size, 'the mask is (64, 48)'),
    ],
)
def test_data_that_only_a_worker_meets(damage, message, tmp_path, refused, cfg, monkeypatch):
    cfg.train_dataloader.num_workers = 1
    monkeypatch.setattr(train, 'check_data', lambda cfg: damage(cfg) and [])
    line = refused(train.main)
    assert message in line
    assert 'Traceback' not in line and 'DataLoader' not in line


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['model.decode_head.mode=foo'], "ReverseAttentionHead(mode='foo'): expected 'simple', 'normalized' or 'dual'"),
        (['model.scales=[]'], 'scales=[]: expected different factors above 0'),
        (['model.scales=[1.0,0]'], 'scales=[1.0, 0]: expected different factors above 0'),
        (['model.backbone.type=ResNett'], 'ResNett is not in the mmseg::model registry'),
        (['model.backbone.dept=18'], "unexpected keyword argument 'dept'"),
        (['train_dataloader=None'], 'has no train_dataloader'),
        (['custom_hooks.7.type=x'], 'cannot be read'),
    ],
)
def test_config_options(options, message, refused):
    assert message in refused(train.main, '--cfg-options', *options)


def test_no_folder_of_masks_in_a_quick_run(cfg, refused):
    assert no_folder_of_masks(cfg) in refused(train.main, '--quick')


def test_a_missing_package_of_a_visualizer(cfg, tmp_path, capsys, monkeypatch):
    for module in ('tensorboardX', 'torch.utils.tensorboard'):
        monkeypatch.setitem(sys.modules, module, None)  # an import of it fails
    cfg.visualizer.vis_backends = [dict(type='TensorboardVisBackend')]
    assert tiny_runs.call(train.main, tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w') == 1
    line = tiny_runs.error_line(capsys)
    assert line.startswith('mmrev: error: the config needs a package that is missing. Please ')
    assert 'pip install' in line and 'tensorboard' in line


def test_one_value_for_a_batch_norm(cfg, tmp_path, capsys):
    cfg.model.update(type='EncoderDecoder')
    del cfg.model.scales
    head = dict(in_channels=8, in_index=1, channels=4, dilations=(1,), num_classes=11, norm_cfg=dict(type='BN'))
    cfg.model.decode_head = dict(type='ASPPHead', **head)  # it pools the whole image
    cfg.train_dataloader.batch_size = 1
    assert tiny_runs.call(train.main, tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w') == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert 'a batch norm got one value a channel' in line and 'set train_dataloader.batch_size=2 or more' in line


@pytest.mark.parametrize('option', ['model.scales', 'model.scales=[1,(2]'])
def test_config_options_that_cannot_be_read(option, cfg, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        train.main([tiny_runs.save(cfg, tmp_path / 'c.py'), '--cfg-options', option])
    assert stop.value.code == 2
    assert '--cfg-options takes KEY=VALUE' in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('model = dict(', 'SyntaxError'),
        ("_base_ = './none.py'", 'none.py'),
        ('x = 1 / 0', 'division by zero'),
        ('model = dict()', 'has no train_dataloader'),
    ],
)
def test_configs_that_cannot_be_read(content, message, tmp_path, capsys):
    (tmp_path / 'c.py').write_text(content)
    assert tiny_runs.call(train.main, tmp_path / 'c.py') == 1
    line = tiny_runs.error_line(capsys)
    assert message in line and str(tmp_path / 'c.py') in line


def test_a_config_that_does_not_exist(capsys):
    assert tiny_runs.call(train.main, 'ran_n_r18_camvit') == 1
    assert 'did you mean ran_n_r18_camvid.py?' in tiny_runs.error_line(capsys)


@pytest.mark.parametrize(
    'config',
    [
        "default_scope = 'mmdet'",
        "default_scope = 'mmseg'\nmodel = dict(decode_head=dict(type='CCHead'))",
        "default_scope = 'mmseg'\n"
        "model = dict(decode_head=dict(type='mmrev.ScaleAttentionHead', head=dict(type='CCHead')))",
    ],
)
def test_compiled_operators_are_missing(config, tmp_path, capsys, monkeypatch):
    (tmp_path / 'config.py').write_text(f'{config}\ntrain_dataloader = dict(dataset=dict())')
    monkeypatch.setattr('mmrev.hosts.find_spec', lambda name: None if name == 'mmcv._ext' else find_spec(name))
    host_problem.cache_clear()
    assert mmrev(['train', str(tmp_path / 'config.py')]) == 1
    host_problem.cache_clear()
    assert 'mmcv is here without its compiled operators' in tiny_runs.error_line(capsys)


def test_the_metric_of_the_test_server_is_missing(tmp_path, capsys, monkeypatch):
    (tmp_path / 'config.py').write_text(
        "train_dataloader = test_dataloader = dict(dataset=dict())\ntest_evaluator = dict(type='CityscapesMetric')"
    )
    monkeypatch.setattr('mmrev.cli.configs.find_spec', lambda name: None)
    for command in (['train', str(tmp_path / 'config.py'), '--quick'], ['test', str(tmp_path / 'config.py'), 'x.pth']):
        assert mmrev(command) == 1
        assert 'pip install cityscapesscripts' in tiny_runs.error_line(capsys)


def test_a_process_of_its_own(tmp_path):
    """A real stderr has only this line, even if only a worker reads the image."""
    cfg = tiny_runs.segmentation(tmp_path / 'data', length=60)
    cfg.train_dataloader.num_workers = 1
    cfg.train_dataloader.sampler.shuffle = False
    high_label(cfg, index=1)  # of 60 images, 24 are looked at before the training
    process = tiny_runs.start('train', tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w')
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert errors.splitlines() == [
        f'mmrev: error: {mask(cfg, 1)}: label 30 in the mask, expected 0 to 10 or 255 '
        '(ignored); check the label conversion and reduce_zero_label'
    ]
