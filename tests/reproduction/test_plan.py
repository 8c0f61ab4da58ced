from pathlib import Path

import pytest

from mmrev.config_files import config_root
from mmrev.reproduction.experiment import Settings
from mmrev.reproduction.papers import read_papers
from mmrev.reproduction.plan import missing_counts, plan, wanted
from mmrev.reproduction.results import Result


@pytest.fixture(scope='module')
def papers():
    return read_papers(config_root())


def planned(papers, out, targets, seeds=(0,), known=None, budget='paper'):
    return plan(papers, papers.select(targets), seeds, known or {}, Settings(Path(out), budget))


def test_rows_that_share_weights_train_once(papers, tmp_path):
    tasks = planned(papers, tmp_path, ['ran/2'], seeds=(0, 7))
    assert [task.seed for task in tasks] == [0] * 16 + [7] * 16
    assert sum(len(task.tests) for task in tasks) == 2 * 20
    (task,) = [task for task in tasks if task.config == 'ran_n_r101_pcontext' and task.seed == 7]
    assert task.tests == ('ran_n_r101_pcontext', 'ran_n_r101_crf_pcontext')


def test_a_row_of_two_tables_trains_once(papers, tmp_path):
    both = planned(papers, tmp_path, ['ran/1', 'ran/2'])
    assert len(both) == 17  # table 1 adds the ASPP baseline
    (mIoU,) = [each for each in wanted(papers, 'ran_n_r101_crf_pcontext') if each.metric == 'mIoU']
    assert mIoU.tables == ('ran/1', 'ran/2')


def test_what_is_known_is_left_out(papers, tmp_path):
    crf = Result('ran_n_r101_crf_pcontext', '0', 'mIoU', '48.1', '48.0')
    known = {crf.key: crf}
    # table 1 also prints the accuracies of this row
    (task,) = planned(papers, tmp_path, ['ran_n_r101_crf_pcontext'], known=known)
    assert task.tests == ('ran_n_r101_crf_pcontext',)
    for metric in ('aAcc', 'mAcc'):
        known[crf.config, '0', metric] = crf
    assert planned(papers, tmp_path, ['ran_n_r101_crf_pcontext'], known=known) == []
    assert len(planned(papers, tmp_path, ['ran_n_r101_crf_pcontext'], seeds=(0, 1), known=known)) == 1


def test_a_detector_comes_after_the_classifier_whose_weights_it_takes(papers, tmp_path):
    tasks = planned(papers, tmp_path, ['faster_rcnn_ra_r50_fpn_coco'])
    assert [(task.config, task.after) for task in tasks] == [
        ('ra_resnet50_in1k', ()),
        ('faster_rcnn_ra_r50_fpn_coco', ('ra_resnet50_in1k',)),
    ]
    assert tasks[0].tests == ()
    # at the size of a trial it starts from random weights
    assert len(planned(papers, tmp_path, ['faster_rcnn_ra_r50_fpn_coco'], budget='tiny')) == 1


def test_each_figure_is_measured_with_the_settings_of_its_row(papers):
    coarse, fine = [
        each for each in wanted(papers, 'ranet_r101_cityscapes') if each.metric.startswith(('coarse', 'fine'))
    ]
    assert dict(coarse.measure.options) == {'model.test_cfg.output': 'coarse'} and not fine.measure.options
    assert (coarse.printed, fine.printed) == ('77.3', '81.9')
    (server,) = wanted(papers, 'ranet_r101_trainval_cityscapes')
    assert server.flags == ('--tta',)
    masks, pixels = (wanted(papers, name)[-1] for name in ('mask_rcnn_ra_r50_fpn_coco', 'upernet_ra_r50_ade20k'))
    assert (masks.measure.key, masks.measure.factor, pixels.measure.key) == ('coco/segm_mAP', 100, 'mIoU')


def test_parameters_and_flops_are_counted_without_a_training(papers):
    tables = papers.select(['ra_net/2'])
    counts = missing_counts(tables, {})
    assert len(counts) == len(tables[0].rows) > 5
    assert {metric for places in counts.values() for _, _, metric in places} == {'params M', 'GFLOPs'}
    done = Result('resnet18_in1k', '', 'params M', '', '11.69')
    left = missing_counts(tables, {done.key: done})
    assert [metric for _, _, metric in left['resnet18_in1k']] == ['GFLOPs']
