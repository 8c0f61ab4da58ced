import json

import pytest
from mmengine.config import Config

from mmrev.reproduction.measures import Measure
from mmrev.reproduction.outputs import RowError, read_metrics, redirect_submission, why_it_failed, with_figure
from mmrev.reproduction.plan import Wanted
from mmrev.reproduction.results import Result

LINE = Result('config', '0', '', '', '')
BOX = Wanted('box AP', Measure('coco/bbox_mAP', 100), (), '37.4', ('ra_net/4', 'x/1'))


@pytest.mark.parametrize(
    ('status', 'output', 'says'),
    [
        (1, 'step 1\nmmrev: error: the disk is full\nbye\n', 'the disk is full'),
        (1, 'Traceback ...\nZeroDivisionError: by zero\n\n', 'ZeroDivisionError: by zero (see {log})'),
        (1, '11/25 - mmengine - ERROR - x.py - no loss\n', 'x.py - no loss (see {log})'),
        (-9, 'step 1\n', 'killed by SIGKILL, perhaps because memory ran out: see {log}'),
        (3, '', 'exit status 3 (see {log})'),
    ],
)
def test_the_reason_of_a_failure(tmp_path, status, output, says):
    log = tmp_path / 'train.log'
    log.write_text(f'mmrev: error: of an earlier start\n{output}')
    assert why_it_failed(status, log, start=len('mmrev: error: of an earlier start\n')) == says.format(log=log)


def test_a_figure_has_the_unit_of_the_table():
    line = with_figure(LINE, BOX, {'coco/bbox_mAP': 0.3742})
    assert (line.metric, line.measured, line.printed, line.tables) == ('box AP', '37.4200', '37.4', 'ra_net/4 x/1')


def test_a_missing_figure_is_an_error_but_not_with_files_for_a_server():
    with pytest.raises(RowError, match=r'the test gave no box AP \(coco/bbox_mAP\), only coco/segm_mAP'):
        with_figure(LINE, BOX, {'coco/segm_mAP': 1.0})
    with pytest.raises(RowError, match='only nothing'):
        with_figure(LINE, BOX, {})
    line = with_figure(Result('config', '0', '', '', '', note='submission'), BOX, {})
    assert (line.measured, line.note) == ('', 'submission')


def test_a_detector_that_finds_nothing_has_an_average_precision_of_0():
    assert with_figure(LINE, BOX, {'time': 0.1}).measured == '0.0000'
    segmentation = Wanted('mIoU', Measure('mIoU'), (), '43.5', ('ran/1',))
    with pytest.raises(RowError):
        with_figure(LINE, segmentation, {'time': 0.1})


def test_the_files_for_a_test_server_go_below_the_test(tmp_path):
    cfg = Config(dict(test_evaluator=[dict(type='IoUMetric'), dict(type='CityscapesMetric', output_dir='work_dirs/x')]))
    assert redirect_submission(cfg, tmp_path) == str(tmp_path / 'submission') == cfg.test_evaluator[1].output_dir
    assert redirect_submission(Config(dict(test_evaluator=dict(type='IoUMetric'))), tmp_path) == ''


def test_the_results_of_a_test_are_read(tmp_path):
    assert read_metrics(tmp_path) == {}
    (tmp_path / '20261125').mkdir()
    (tmp_path / '20261125/20261125.json').write_text(json.dumps(dict(mIoU=12.5)))
    assert read_metrics(tmp_path) == dict(mIoU=12.5)
