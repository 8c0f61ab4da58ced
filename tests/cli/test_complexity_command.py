import pytest
import tiny_runs

from mmrev.cli import complexity


@pytest.fixture
def configs(tmp_path):
    """A segmentor for 48 x 64 images, and a classifier whose config has no size."""
    return [
        tiny_runs.save(make(tmp_path / 'data'), tmp_path / f'{make.__name__}.py')
        for make in (tiny_runs.segmentation, tiny_runs.classification)
    ]


def rows(text: str) -> dict[str, list[str]]:
    cells = [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines() if line[:1] == '|']
    return {name: values for name, *values in cells}


def test_one_row_for_each_config(configs, capsys):
    assert tiny_runs.call(complexity.main, *configs, 'ran_n_r18_camvid', '--shape', '32', '40') == 0
    table = rows(capsys.readouterr().out)
    assert [*table] == ['config', 'segmentation', 'classification', 'ran_n_r18_camvid']
    size, params, trainable, classifier, thop, mmcv = table['ran_n_r18_camvid']
    assert (size, params, trainable, classifier) == ('32 x 40', '11.278', '11.278', '-')
    assert float(thop) > float(mmcv) > 0.1


def test_the_size_and_the_model_of_the_config(configs, capsys):
    assert tiny_runs.call(complexity.main, configs[0]) == 0
    narrow = rows(capsys.readouterr().out)['segmentation']
    assert narrow[0] == '48 x 64'
    assert tiny_runs.call(complexity.main, configs[0], '--cfg-options', 'model.decode_head.num_classes=21') == 0
    wide = rows(capsys.readouterr().out)['segmentation']
    assert all(float(wide[column]) > float(narrow[column]) for column in (1, 2, 4, 5))


def test_what_a_user_can_mend_is_one_line(configs, capsys):
    assert tiny_runs.call(complexity.main, configs[1]) == 1
    assert 'give the height and width of the input with --shape' in tiny_runs.error_line(capsys)
    assert tiny_runs.call(complexity.main, configs[0], '--shape', '-8', '8') == 1
    assert 'cannot be counted' in tiny_runs.error_line(capsys)
    assert tiny_runs.call(complexity.main, 'no_such_config') == 1
    assert 'config no_such_config not found' in tiny_runs.error_line(capsys)
