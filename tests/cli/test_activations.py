import csv
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_runs
import torch
from mmengine.registry import MODELS, DefaultScope

from mmrev.cli import activations

MEAN, STD = [120.0, 110.0, 100.0], [60.0, 50.0, 40.0]


@pytest.fixture
def cfg(tmp_path):
    cfg = tiny_runs.classification(tmp_path / 'data')
    cfg.model.backbone.type = 'mmrev.RAResNet'
    cfg.data_preprocessor = dict(mean=MEAN, std=STD, to_rgb=True)  # beside the model, as mmpretrain's configs have it
    return cfg


@pytest.fixture
def images(tmp_path):
    """Six folders with eight images of two sizes each, and a folder without images."""
    rng = np.random.default_rng(0)
    for name in ('cat', 'dog', 'eel', 'fox', 'gnu', 'hen'):
        (tmp_path / 'images' / name).mkdir(parents=True)
        for index in range(8):
            picture = rng.integers(0, 256, (32, 40 if index < 3 else 48, 3), dtype=np.uint8)
            cv2.imwrite(str(tmp_path / 'images' / name / f'{index}.PNG'), picture)
    (tmp_path / 'images/ant').mkdir()
    (tmp_path / 'images/cat/notes.txt').write_text('no image')
    return tmp_path / 'images'


@pytest.fixture
def files(cfg, tmp_path):
    return written(cfg, tmp_path)


def written(cfg, folder: Path) -> list[str]:
    """The files of a config and of a checkpoint."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg.model)
    for name, parameter in model.named_parameters():
        if name.endswith('gamma'):
            torch.nn.init.normal_(parameter, std=0.5)
    torch.save(model.state_dict(), folder / 'w.pth')
    return [tiny_runs.save(cfg, folder / 'c.py'), str(folder / 'w.pth')]


def rows(folder: Path) -> list[dict]:
    with open(folder / 'figure5.csv', newline='', encoding='utf-8') as file:
        return list(csv.DictReader(file))


def test_five_classes_and_all_blocks_by_default(files, images, tmp_path):
    assert tiny_runs.call(activations.main, *files, images, '--out', tmp_path / 'out') == 0
    table = rows(tmp_path / 'out')
    assert list(Counter(row['class'] for row in table)) == ['cat', 'dog', 'eel', 'fox', 'gnu']
    assert len(table) == 5 * 2 * (4 + 8 + 16 + 32)
    assert {row['images'] for row in table} == {'8'}
    assert cv2.imread(str(tmp_path / 'out/figure5.png')).std() > 10


def test_the_numbers_of_the_images_as_the_config_prepares_them(cfg, files, images, tmp_path):
    assert (
        tiny_runs.call(
            activations.main,
            *files,
            images,
            '--classes',
            'hen',
            'dog',
            '--blocks',
            'RA_5_2',
            'RA_3_1',
            '--per-class',
            5,
            '--batch-size',
            2,
            '--out',
            tmp_path / 'out',
        )
        == 0
    )
    found = {(row['class'], row['block'], int(row['channel'])): float(row['mean']) for row in rows(tmp_path / 'out')}
    assert len(found) == 2 * (8 + 32)
    assert list(dict.fromkeys(key[:2] for key in found)) == [
        (name, block) for name in ('hen', 'dog') for block in ('RA_3_1', 'RA_5_2')
    ]
    backbone = MODELS.build(dict(cfg.model.backbone, _scope_='mmpretrain')).eval()
    state = torch.load(tmp_path / 'w.pth', weights_only=True)
    backbone.load_state_dict({key.removeprefix('backbone.'): state[key] for key in state if 'head' not in key})
    gates = []
    backbone.layer4[1].addition.gate.register_forward_hook(lambda _, __, gate: gates.append(gate[0, :, 0, 0].detach()))
    for index in range(5):
        picture = cv2.imread(str(images / 'hen' / f'{index}.PNG'))[..., ::-1]
        backbone(torch.tensor((picture - MEAN) / STD, dtype=torch.float).permute(2, 0, 1)[None])
    np.testing.assert_allclose(
        [found['hen', 'RA_5_2', channel] for channel in range(32)], torch.stack(gates).mean(0), rtol=1e-5
    )


def test_a_flat_folder_is_one_class(files, images, tmp_path):
    assert tiny_runs.call(activations.main, *files, images / 'eel', '--out', tmp_path / 'out') == 0
    assert {row['class'] for row in rows(tmp_path / 'out')} == {'eel'}


def test_steps_that_read_annotations_are_left_out(tmp_path, images):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.model.backbone.type = 'mmrev.RAResNet'
    cfg.test_dataloader.dataset.pipeline = [
        step for step in cfg.test_dataloader.dataset.pipeline if step['type'] != 'mmrev.CheckLabels'
    ]
    with DefaultScope.overwrite_default_scope('mmseg'):
        torch.save(MODELS.build(cfg.model).state_dict(), tmp_path / 'w.pth')
    config = tiny_runs.save(cfg, tmp_path / 'c.py')
    assert tiny_runs.call(activations.main, config, tmp_path / 'w.pth', images, '--out', tmp_path / 'out') == 0
    assert {row['block'] for row in rows(tmp_path / 'out')} == {'RA_2_1', 'RA_2_2', 'RA_3_1', 'RA_3_2'}


def no_folder(images: Path) -> tuple[list, str]:
    return [images / 'none'], f'{images / "none"} is missing: expected a folder'


def no_images(images: Path) -> tuple[list, str]:
    return [images / 'ant'], f'{images / "ant"} has no images: expected .jpg'


def misspelt_class(images: Path) -> tuple[list, str]:
    return [images, '--classes', 'cat', 'dogg'], "no class 'dogg' among the 6: did you mean dog?"


def other_class(images: Path) -> tuple[list, str]:
    return [images, '--classes', 'zebra'], 'expected such as cat, dog, eel, fox, gnu'


def other_block(images: Path) -> tuple[list, str]:
    return [images, '--blocks', 'RA_2_3'], "no block 'RA_2_3' among the 8: did you mean RA_"


def broken_image(images: Path) -> tuple[list, str]:
    path = images / 'dog/6.PNG'
    path.write_bytes(path.read_bytes()[:20])
    return [images], f'{path} cannot be prepared by the test pipeline'


@pytest.mark.parametrize('mistake', [no_folder, no_images, misspelt_class, other_class, other_block, broken_image])
def test_what_is_asked_for_in_vain(mistake, files, images, tmp_path, capsys):
    options, message = mistake(images)
    assert tiny_runs.call(activations.main, *files, *options, '--out', tmp_path / 'out') == 1
    assert message in tiny_runs.error_line(capsys)
    assert not (tmp_path / 'out').exists()


def test_a_checkpoint_of_another_model(cfg, files, images, tmp_path, capsys):
    state = torch.load(files[1], weights_only=True)
    torch.save({key: value for key, value in state.items() if 'gate' not in key}, files[1])
    assert tiny_runs.call(activations.main, *files, images, '--out', tmp_path / 'out') == 1
    assert 'w.pth is of another model: ' in tiny_runs.error_line(capsys)


def test_a_model_without_reverse_attention(cfg, images, tmp_path, capsys):
    cfg.model.backbone.type = 'ResNet'
    assert tiny_runs.call(activations.main, *written(cfg, tmp_path), images, '--out', tmp_path / 'out') == 1
    assert 'c.py has no reverse attention in its ResNet: give a config' in tiny_runs.error_line(capsys)


@pytest.mark.parametrize('option', ['--per-class', '--batch-size'])
def test_numbers_below_one(option, files, images, capsys):
    with pytest.raises(SystemExit):
        activations.main([*files, str(images), option, '0'])
    assert f'argument {option}: 0: expected 1 or more' in capsys.readouterr().err
