"""Each checkpoint that cannot be used ends the program with an exit status and one line that says what to do."""

from pathlib import Path

import malicious_checkpoints
import pytest
import tiny_runs
import torch
from mmengine.registry import MODELS

from mmrev.cli import convert, test, train


def truncated(cfg, folder: Path) -> str:
    torch.save({'state_dict': MODELS.build(cfg.model).state_dict()}, folder / 'w.pth')
    (folder / 'w.pth').write_bytes((folder / 'w.pth').read_bytes()[:1000])
    return 'w.pth is truncated or not a checkpoint'


def missing(cfg, folder: Path) -> str:
    return 'w.pth is missing: expected a checkpoint file'


def another_architecture(cfg, folder: Path) -> str:
    net = MODELS.build(dict(type='mmseg.ResNet', depth=50, base_channels=4))
    state = {f'backbone.{name}': value for name, value in net.state_dict().items()}
    torch.save({'state_dict': state}, folder / 'w.pth')
    return 'keys matched'


def another_number_of_classes(cfg, folder: Path) -> str:
    other = dict(cfg.model, decode_head=dict(cfg.model.decode_head, num_classes=5))
    torch.save({'state_dict': MODELS.build(other).state_dict()}, folder / 'w.pth')
    return 'decode_head.conv_org.bias (5,) -> (11,) (another number of classes, or another width?)'


@pytest.mark.parametrize('make', [truncated, missing, another_architecture, another_number_of_classes])
def test_checkpoints_that_cannot_be_scored(make, cfg, tmp_path, refused):
    message = make(cfg, tmp_path)
    line = refused(test.main, tmp_path / 'w.pth')
    assert message in line and str(tmp_path / 'w.pth') in line


@pytest.mark.parametrize('make', [truncated, missing, another_architecture])
def test_checkpoints_that_no_training_can_start_from(make, cfg, tmp_path, refused):
    message = make(cfg, tmp_path)
    line = refused(train.main, '--cfg-options', f'load_from={tmp_path / "w.pth"}')
    assert message in line and str(tmp_path / 'w.pth') in line


def test_a_last_checkpoint_that_is_gone(tmp_path, refused):
    (tmp_path / 'w').mkdir()
    (tmp_path / 'w/last_checkpoint').write_text('/elsewhere/iter_7.pth')
    assert '/elsewhere/iter_7.pth, which is gone' in refused(train.main, '--resume')


@pytest.mark.parametrize('kind', [malicious_checkpoints.plain, malicious_checkpoints.through_getattr])
@pytest.mark.parametrize('entry', ['test', 'load_from', 'resume', 'resume auto', 'init_cfg'])
def test_code_in_checkpoints(entry, kind, cfg, tmp_path, refused):
    path = malicious_checkpoints.write(kind, tmp_path, message_hub={}, optimizer={})
    if entry == 'test':
        line = refused(test.main, path)
    elif entry == 'load_from':
        line = refused(train.main, '--cfg-options', f'load_from={path}')
    elif entry == 'resume':
        line = refused(train.main, '--resume', path)
    elif entry == 'resume auto':
        (tmp_path / 'w').mkdir()
        (tmp_path / 'w/last_checkpoint').write_text(str(path))
        line = refused(train.main, '--resume')
    else:
        cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint=str(path))
        line = refused(train.main)
    assert f'{path} holds pickled code besides tensors, and was refused' in line
    assert not (tmp_path / malicious_checkpoints.MARK).exists()


@pytest.mark.parametrize('kind', [malicious_checkpoints.plain, malicious_checkpoints.through_getattr])
def test_code_in_a_file_to_convert(kind, tmp_path, capsys):
    assert convert.main([str(malicious_checkpoints.write(kind, tmp_path)), str(tmp_path / 'out.pth')]) == 1
    assert 'was refused' in tiny_runs.error_line(capsys)
    assert not (tmp_path / malicious_checkpoints.MARK).exists() and not (tmp_path / 'out.pth').exists()
