import matplotlib.image
import pytest
import tiny_runs
import torch
from mmseg.registry import MODELS

from mmrev.cli import draw

FIGURES = dict(
    ran=['figure2_filters.png', 'figure2_probabilities.png', 'figure4.png'],
    scales=['figure3.png', 'figure3_recalibration.png'],
    regions=['figure5.png', 'figure6.png'],
)
FIGURES['both'] = sorted(FIGURES['ran'] + FIGURES['scales'])
FIGURES['all'] = sorted(FIGURES['both'] + FIGURES['regions'])


def written(folder, name: str) -> list[str]:
    """The files of a config and of a checkpoint: of one paper, of ``both`` first ones, of ``all`` three, or of none."""
    cfg, checkpoint = tiny_runs.segmentation(folder / 'data'), folder / f'{name}.pth'
    if name in ('regions', 'all'):
        cfg.model.decode_head.update(type='mmrev.RegionAttentionHead', channels=8, num_representatives=2)
    if name == 'all':
        cfg.model.decode_head.update(type='mmrev.ReverseAttentionWrapper', head='mmrev.RegionAttentionHead')
    elif name not in ('ran', 'both', 'regions'):
        cfg.model.decode_head.type = 'mmrev.LargeFOVHead'
    if name in ('scales', 'both', 'all'):
        cfg.model.fusion = dict(
            type='mmrev.ScaleAttentionHead',
            in_channels=[4, 8],
            num_classes=11,
            dilations=(2, 1),
            channels=8,
            scale_channels=4,
        )
    torch.save(MODELS.build(cfg.model).state_dict(), checkpoint)
    return [tiny_runs.save(cfg, folder / f'{name}.py'), str(checkpoint)]


def size(path) -> tuple[int, int]:
    """Height and width of a picture, which must show something."""
    picture = matplotlib.image.imread(path)
    assert picture.std() > 0.05
    return picture.shape[:2]


@pytest.mark.parametrize('name', FIGURES)
def test_the_figures_of_the_papers_in_a_model(tmp_path, capsys, name):
    model, baseline = written(tmp_path, name), written(tmp_path, 'plain')
    beside, alone = tmp_path / 'beside', tmp_path / 'alone'
    assert tiny_runs.call(draw.main, *model, '--baseline', *baseline, '--out', beside, '--classes', 'car', 'road') == 0
    assert tiny_runs.call(draw.main, *model, '--out', alone, '--images', '3', '--rows', '2') == 0
    assert capsys.readouterr().out.count('drawn: ') == 2
    for figure in FIGURES[name]:
        (height, width), (less_height, less_width) = size(beside / figure), size(alone / figure)
        assert (width > less_width) == (figure in ('figure3.png', 'figure4.png', 'figure6.png'))
        assert (height > less_height) == (figure != 'figure2_filters.png')  # four rows, and two
    assert all(sorted(file.name for file in out.iterdir()) == FIGURES[name] for out in (beside, alone))


def test_a_model_of_no_paper(tmp_path, capsys):
    assert tiny_runs.call(draw.main, *written(tmp_path, 'plain'), '--out', tmp_path / 'out') == 1
    assert (
        'plain.py has no reverse branch, ScaleAttentionHead or RegionAttentionHead: give a config with one of '
        'them here and the other as --baseline'
    ) in tiny_runs.error_line(capsys)
    assert not (tmp_path / 'out').exists()


def test_a_class_that_there_is_not(tmp_path, capsys):
    options = ['--out', tmp_path / 'out', '--classes', 'car', 'cat']
    assert tiny_runs.call(draw.main, *written(tmp_path, 'ran'), *options) == 1
    assert "no class 'cat': the data set has sky, " in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_a_checkpoint_of_another_model(tmp_path, capsys):
    (config, _), (_, checkpoint) = written(tmp_path, 'ran'), written(tmp_path, 'plain')
    assert tiny_runs.call(draw.main, config, checkpoint, '--out', tmp_path / 'out') == 1
    assert 'plain.pth is of another model' in capsys.readouterr().err
