import csv
import multiprocessing

import pytest

from mmrev.errors import DataError
from mmrev.reproduction.results import COLUMNS, Result, Results


def add(path, number):
    for seed in range(5):
        Results(path).add([Result(f'config_{number}', str(seed), 'mIoU', '', '1.0')])


def test_several_processes_add_to_one_file(tmp_path):
    path = tmp_path / 'results.csv'
    with multiprocessing.get_context('fork').Pool(4) as pool:
        pool.starmap(add, [(path, number) for number in range(4)])
    assert len(Results(path).read()) == 4 * 5


def test_the_columns_say_all_that_is_needed_to_judge_a_figure(tmp_path):
    path = tmp_path / 'results.csv'
    Results(path).add([Result('c', '0', 'mIoU', '48.0', '47.1', data='val: 1, "two"\nlines')])
    with path.open(newline='') as file:
        (line,) = csv.DictReader(file)
    assert list(line) == COLUMNS
    assert {'config', 'seed', 'metric', 'printed', 'measured', 'versions', 'device', 'hours', 'commit', 'sha256'} <= {
        *COLUMNS
    }
    assert line['data'] == 'val: 1, "two"\nlines'


def test_a_figure_that_is_measured_again_replaces_the_first(tmp_path):
    results = Results(tmp_path / 'results.csv')
    for measured in ('1.0', '2.0'):
        results.add([Result('c', '0', 'mIoU', '', measured)])
    (line,) = results.read().values()
    assert line.measured == '2.0'


def test_a_stop_within_a_write_leaves_the_old_file(tmp_path, monkeypatch):
    results = Results(tmp_path / 'results.csv')
    results.add([Result('c', '0', 'mIoU', '', '1.0')])
    monkeypatch.setattr('os.fsync', lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        results.add([Result('c', '1', 'mIoU', '', '2.0')])
    monkeypatch.undo()
    assert list(results.read()) == [('c', '0', 'mIoU')]
    results.add([Result('c', '1', 'mIoU', '', '2.0')])  # the lock is free
    assert len(results.read()) == 2


def test_another_file_is_refused(tmp_path):
    path = tmp_path / 'results.csv'
    path.write_text('config,seed\nc,0\n')
    with pytest.raises(DataError, match='has other columns'):
        Results(path).read()
