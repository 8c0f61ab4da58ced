"""Detectors on RA-ResNet, from the command line: trained, validated, resumed, scored and drawn."""

import json
import re

import pytest
import tiny_runs
import torch

from mmrev.cli import test, train
from mmrev.engine import read_checkpoint
from mmrev.hosts import host_problem

pytestmark = pytest.mark.skipif(bool(host_problem('mmdet', ops=True)), reason=str(host_problem('mmdet', ops=True)))
GATE = 'backbone.layer2.0.addition.gate.'  # mmdet freezes layer1


def scores(work_dir):
    (found,) = work_dir.glob('*/*.json')
    return json.loads(found.read_text())


@pytest.mark.parametrize('masks', [False, True], ids=['faster', 'mask'])
def test_a_detector_from_training_to_its_scores(masks, tmp_path):
    config = tiny_runs.save(tiny_runs.detection(tmp_path / 'data', masks), tmp_path / 'c.py')
    work_dir = tmp_path / 'w'
    assert tiny_runs.call(train.main, config, '--work-dir', work_dir) == 0
    first = read_checkpoint(work_dir / 'iter_2.pth')
    assert first['state_dict'][f'{GATE}gamma'].any()
    assert first['state_dict'][f'{GATE}temperature'] == 15.5
    assert re.search(r'Iter\(val\) .*coco/bbox_mAP: ', tiny_runs.logged(work_dir))

    argv = [config, '--work-dir', work_dir, '--resume', '--cfg-options', 'train_cfg.max_iters=4']
    assert tiny_runs.call(train.main, *argv) == 0
    assert 'resumed epoch: 0, iter: 2' in tiny_runs.logged(work_dir)
    last = read_checkpoint(work_dir / 'iter_4.pth')['state_dict']
    assert last[f'{GATE}temperature'] == 1
    assert not torch.equal(last[f'{GATE}gamma'], first['state_dict'][f'{GATE}gamma'])

    argv = [config, work_dir / 'iter_4.pth', '--work-dir', tmp_path / 'test', '--show-dir', tmp_path / 'show']
    assert tiny_runs.call(test.main, *argv) == 0
    kinds = {key.split('/')[1].split('_')[0] for key in scores(tmp_path / 'test') if 'mAP' in key}
    assert kinds == ({'bbox', 'segm'} if masks else {'bbox'})
    assert len(list((tmp_path / 'show').rglob('*_*.png')) + list((tmp_path / 'show').rglob('*.jpg'))) == 4


def test_a_classifiers_checkpoint_starts_a_detector(tmp_path):
    classifier = tiny_runs.classification(tmp_path / 'images')
    classifier.model.backbone = dict(type='mmrev.RAResNet', depth=18, stem_channels=4, base_channels=4)
    config = tiny_runs.save(classifier, tmp_path / 'classifier.py')
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'classifier') == 0
    saved = read_checkpoint(tmp_path / 'classifier/iter_2.pth')['state_dict']

    cfg = tiny_runs.detection(tmp_path / 'data')
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='missing.pth', prefix='backbone.')
    cfg.optim_wrapper.optimizer.lr = 0.0
    cfg.custom_hooks = cfg.custom_hooks[:1]
    config, option = tiny_runs.save(cfg, tmp_path / 'c.py'), 'model.backbone.init_cfg.checkpoint='
    argv = [config, '--work-dir', tmp_path / 'w', '--cfg-options', f'{option}{tmp_path / "classifier/iter_2.pth"}']
    assert tiny_runs.call(train.main, *argv) == 0
    started = read_checkpoint(tmp_path / 'w/iter_2.pth')['state_dict']
    backbone = [name for name in saved if name.startswith('backbone.') and name.endswith(('weight', 'gamma'))]
    assert len(backbone) > 40 and all(torch.equal(started[name], saved[name]) for name in backbone)


def test_a_missing_classifier_is_one_line(tmp_path, capsys):
    cfg = tiny_runs.detection(tmp_path / 'data')
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint='work_dirs/x/epoch_100.pth', prefix='backbone.')
    assert tiny_runs.call(train.main, tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w') == 1
    assert re.search(
        r'work_dirs/x/epoch_100.pth is missing: .*train configs/\*/x.py first, or .*--cfg-options '
        r'model.backbone.init_cfg.checkpoint=',
        tiny_runs.error_line(capsys),
    )
