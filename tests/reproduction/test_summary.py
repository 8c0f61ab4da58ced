from pathlib import Path

import pytest

from mmrev.reproduction.experiment import Settings
from mmrev.reproduction.papers import Row, Table
from mmrev.reproduction.results import Result
from mmrev.reproduction.summary import heading, lines_of, markdown, terminal

TABLE = Table(
    'p/1',
    'a data set',
    ('mIoU', 'params M', 'delta GFLOPs'),
    rows=(
        Row('Base', 'base', printed={'mIoU': '43.5', 'params M': '11.69', 'delta GFLOPs': '212'}),
        Row('Ours', 'ours', printed={'mIoU': None, 'params M': '11.70', 'delta GFLOPs': None}),
    ),
)


def known(*figures, note=''):
    lines = [Result(config, seed, metric, '', measured, note) for config, seed, metric, measured in figures]
    return {line.key: line for line in lines}


def cells(found, seeds=(0, 1, 2)):
    return {(line.row.method, line.metric): line.cells[3:] for line in lines_of(TABLE, found, seeds)}


def test_printed_mean_spread_difference_and_number_of_runs():
    found = known(('base', '0', 'mIoU', '43.0'), ('base', '1', 'mIoU', '44.0'), ('base', '2', 'mIoU', '45.5'))
    # the mean is 44.1667, and the deviation of a sample 1.2583
    assert cells(found)['Base', 'mIoU'] == ('43.5', '44.17', '1.26', '+0.67', '3')
    assert cells(found, seeds=[1])['Base', 'mIoU'] == ('43.5', '44.00', '-', '+0.50', '1')


def test_what_was_not_run_says_so():
    assert cells({}) == {
        ('Base', 'mIoU'): ('43.5', 'not run', '-', '-', '0'),
        ('Base', 'params M'): ('11.69', 'not run', '-', '-', '0'),
        ('Base', 'delta GFLOPs'): ('212', 'not measured here', '-', '-', '0'),
        ('Ours', 'mIoU'): ('-', 'not run', '-', '-', '0'),
        ('Ours', 'params M'): ('11.70', 'not run', '-', '-', '0'),
        ('Ours', 'delta GFLOPs'): ('-', 'not measured here', '-', '-', '0'),
    }


def test_a_figure_without_a_printed_one_has_no_difference():
    assert cells(known(('ours', '0', 'mIoU', '12')))['Ours', 'mIoU'] == ('-', '12.00', '-', '-', '1')


def test_a_count_has_no_seed():
    assert cells(known(('ours', '', 'params M', '11.699')))['Ours', 'params M'] == ('11.70', '11.70', '-', '-0.00', '1')


def test_files_for_a_test_server_are_named():
    found = known(('base', '0', 'mIoU', ''), note='folder')
    assert cells(found)['Base', 'mIoU'] == ('43.5', 'files for the server', '-', '-', '0')


@pytest.mark.parametrize('write', [terminal, markdown])
def test_each_line_is_a_line_of_the_table(write):
    lines = lines_of(TABLE, known(('base', '0', 'mIoU', '43.0')), [0])
    rows = [
        [cell.strip() for cell in text.strip('|').split('|')]
        for text in write(lines).splitlines()
        if {*text} - {*'+-:| '}
    ]
    assert rows == [
        ['row', 'config', 'metric', 'printed', 'measured', 'spread', 'difference', 'runs'],
        *(list(line.cells) for line in lines),
    ]


def test_the_heading_says_which_experiment_it_is():
    assert heading(TABLE, Settings(Path())) == 'p/1: a data set. Budget paper: the config as it is.'
    small = heading(TABLE, Settings(Path(), 'small', options={'optim_wrapper.optimizer.lr': 0.1}))
    assert "not the paper's experiment" in small and small.endswith(
        'other options than the config: optim_wrapper.optimizer.lr=0.1.'
    )
    assert 'made-up data' in heading(TABLE, Settings(Path(), 'tiny', made_up_data=True))
