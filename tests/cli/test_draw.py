import matplotlib.image
import pytest
import tiny_runs
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from mmrev.cli import draw

FIGURES = ['figure2_filters.png', 'figure2_probabilities.png', 'figure4.png']


@pytest.fixture
def ran(tmp_path):
    """The files of a config and of a checkpoint."""
    return written(tiny_runs.segmentation(tmp_path / 'data'), tmp_path, 'ran')


def written(cfg: Config, folder, name: str) -> list[str]:
    checkpoint = folder / f'{name}.pth'
    torch.save(MODELS.build(cfg.model).state_dict(), checkpoint)
    return [tiny_runs.save(cfg, folder / f'{name}.py'), str(checkpoint)]


def test_the_papers_figures_with_a_baseline(ran, tmp_path, capsys):
    plain = tiny_runs.segmentation(tmp_path / 'data')
    plain.model.decode_head.type = 'mmrev.LargeFOVHead'
    baseline = written(plain, tmp_path, 'plain')
    options = ['--out', tmp_path / 'out', '--classes', 'car', 'road']
    assert tiny_runs.call(draw.main, *ran, '--baseline', *baseline, *options) == 0
    assert sorted(file.name for file in (tmp_path / 'out').iterdir()) == FIGURES
    with_baseline = matplotlib.image.imread(tmp_path / 'out/figure4.png').shape[1]
    assert tiny_runs.call(draw.main, *ran, '--out', tmp_path / 'alone') == 0
    assert matplotlib.image.imread(tmp_path / 'alone/figure4.png').shape[1] < with_baseline
    assert capsys.readouterr().out.count('drawn: ') == 2


def test_a_class_that_there_is_not(ran, tmp_path, capsys):
    assert tiny_runs.call(draw.main, *ran, '--out', tmp_path / 'out', '--classes', 'car', 'cat') == 1
    assert "no class 'cat': the data set has sky, " in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_a_checkpoint_of_another_model(ran, tmp_path, capsys):
    other = tiny_runs.segmentation(tmp_path / 'data')
    other.model.decode_head.type = 'mmrev.LargeFOVHead'
    _, checkpoint = written(other, tmp_path, 'plain')
    assert tiny_runs.call(draw.main, ran[0], checkpoint, '--out', tmp_path / 'out') == 1
    assert 'plain.pth is of another model' in capsys.readouterr().err
