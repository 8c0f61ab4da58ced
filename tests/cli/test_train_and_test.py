import errno
import json
import os
import shutil

import pytest
import tiny_runs
import torch

from mmrev.cli import test, train
from mmrev.engine import read_checkpoint


def metrics(work_dir) -> dict:
    (found,) = work_dir.glob('*/*.json')
    return json.loads(found.read_text())


def pictures(folder) -> list[str]:
    return sorted(path.name for path in folder.rglob('*.png') if path.parent.name != 'per_class')


def test_training_says_what_it_trains_on(cfg, tmp_path, capfd):
    cfg.optim_wrapper.accumulative_counts = 3
    config = tiny_runs.save(cfg, tmp_path / 'c.py')
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'w') == 0
    out = capfd.readouterr().out
    root = cfg.train_dataloader.dataset.data_root
    assert 'batch: 6 images a step (2 x 1 processes x 3 accumulated), on ' in out
    assert f'train: 4 images of CamVidDataset in {root} (4 read and checked)' in out
    assert f'val: 4 images of CamVidDataset in {root} (4 read and checked)' in out
    assert f'work dir: {tmp_path / "w"}' in out
    assert (tmp_path / 'w/iter_2.pth').is_file()


def test_lines_for_each_parameter_are_in_the_file_alone(cfg, tmp_path, capfd):
    cfg.model.backbone.frozen_stages = 1
    cfg.optim_wrapper.paramwise_cfg = dict(norm_decay_mult=0.0)
    cfg.optim_wrapper.optimizer.weight_decay = 0.1
    config = tiny_runs.save(cfg, tmp_path / 'c.py')
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'w') == 0
    out, log = capfd.readouterr().out, tiny_runs.logged(tmp_path / 'w')
    for line in ('is skipped since its requires_grad=False', 'paramwise_options -- backbone'):
        assert line in log and line not in out
    assert 'Iter(train) [2/2]' in log and 'Iter(train) [2/2]' in out


def test_scoring_and_drawing_segmentation(cfg, tmp_path, capfd):
    config = tiny_runs.save(cfg, tmp_path / 'c.py')
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'w') == 0
    argv = [config, tmp_path / 'w/iter_2.pth', '--work-dir']
    assert tiny_runs.call(test.main, *argv, tmp_path / 'plain', '--show-dir', tmp_path / 'show') == 0
    # each version of mmseg's hook adds a number of its own
    names = [name.rpartition('_')[0] for name in pictures(tmp_path / 'show')]
    assert names == [f'test_images_test_{i}.png' for i in range(4)]
    assert f'test: 4 images of CamVidDataset in {cfg.test_dataloader.dataset.data_root}' in capfd.readouterr().out

    assert tiny_runs.call(test.main, *argv, tmp_path / 'tta', '--tta') == 0
    plain, tta = metrics(tmp_path / 'plain'), metrics(tmp_path / 'tta')
    assert plain['mIoU'] >= 0 and tta['mIoU'] >= 0
    assert plain['aAcc'] != tta['aAcc']
    assert not pictures(tmp_path / 'tta')


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU here')
@pytest.mark.parametrize('by', ['config', '--amp'])
def test_mixed_precision_on_a_cpu_is_bfloat16(by, cfg, tmp_path, capfd):
    if by == 'config':  # as in mmseg's configs of ConvNeXt
        cfg.optim_wrapper.update(type='AmpOptimWrapper', loss_scale='dynamic', dtype='float16')
    options = ['--amp'] if by == '--amp' else []
    argv = [tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w', *options]
    assert tiny_runs.call(train.main, *argv) == 0
    assert 'there is no GPU: mixed precision is bfloat16 on the CPU' in capfd.readouterr().out
    last = read_checkpoint(tmp_path / 'w/iter_2.pth')
    assert all(value.isfinite().all() for value in last['state_dict'].values())
    # a training that began on a GPU
    last['optimizer']['loss_scaler'] = dict(scale=65536.0, growth_tracker=0)
    torch.save(last, tmp_path / 'w/iter_2.pth')
    assert tiny_runs.call(train.main, *argv, '--resume', '--cfg-options', 'train_cfg.max_iters=3') == 0


def test_tta_reaches_the_data_sets_inside_wrappers(cfg):
    inner = cfg.test_dataloader.dataset
    cfg.test_dataloader.dataset = dict(type='ConcatDataset', datasets=[inner, dict(inner)])
    test.use_tta(cfg)
    assert [part.pipeline for part in cfg.test_dataloader.dataset.datasets] == [cfg.tta_pipeline] * 2
    assert cfg.model.type == 'SegTTAModel' and cfg.model.module.type == 'mmrev.MultiScaleEncoderDecoder'


@pytest.mark.parametrize(('option', 'missing'), [('--tta', 'tta_model'), ('--show-dir=x', 'visualizer')])
def test_options_that_the_config_does_not_support(option, missing, cfg, tmp_path, capsys):
    cfg.pop(missing)
    torch.save({'state_dict': {}}, tmp_path / 'c.pth')
    argv = [tiny_runs.save(cfg, tmp_path / 'c.py'), tmp_path / 'c.pth', option]
    assert tiny_runs.call(test.main, *argv, '--work-dir', tmp_path / 'w') == 1
    assert missing in tiny_runs.error_line(capsys)


def test_classification_trains_and_scores_through_the_same_entry(tmp_path):
    config = tiny_runs.save(tiny_runs.classification(tmp_path / 'data'), tmp_path / 'c.py')
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'w') == 0
    argv = [config, tmp_path / 'w/iter_2.pth', '--work-dir', tmp_path / 'test', '--show-dir', tmp_path / 'show']
    assert tiny_runs.call(test.main, *argv) == 0
    assert 0 <= metrics(tmp_path / 'test')['accuracy/top1'] <= 100
    assert len(pictures(tmp_path / 'show')) == 4


def test_classification_with_another_number_of_classes(tmp_path, capsys):
    cfg = tiny_runs.classification(tmp_path / 'data')
    cfg.model.head.num_classes = 3
    assert tiny_runs.call(train.main, tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w') == 1
    assert 'CustomDataset has 2 classes and the head num_classes=3' in tiny_runs.error_line(capsys)


def test_a_full_disk_leaves_the_last_whole_checkpoint(cfg, tmp_path, capsys, monkeypatch):
    save, saved = torch.save, []

    def save_once(*args, **kwargs):
        if saved:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        saved.append(save(*args, **kwargs))

    monkeypatch.setattr(torch, 'save', save_once)
    cfg.default_hooks.checkpoint.interval = 1
    assert tiny_runs.call(train.main, tiny_runs.save(cfg, tmp_path / 'c.py'), '--work-dir', tmp_path / 'w') == 1
    assert 'the disk is full: free some space and --resume' in tiny_runs.error_line(capsys)
    assert (tmp_path / 'w/last_checkpoint').read_text() == str(tmp_path / 'w/iter_1.pth')
    assert read_checkpoint(tmp_path / 'w/iter_1.pth')['meta']['iter'] == 1


def test_resume_finds_the_checkpoint_in_a_work_dir_that_was_moved(cfg, tmp_path):
    config = tiny_runs.save(cfg, tmp_path / 'c.py')
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'old') == 0
    shutil.move(tmp_path / 'old', tmp_path / 'new')
    argv = [config, '--work-dir', tmp_path / 'new', '--resume', '--cfg-options', 'train_cfg.max_iters=4']
    assert tiny_runs.call(train.main, *argv) == 0
    assert 'resumed epoch: 0, iter: 2' in tiny_runs.logged(tmp_path / 'new')
    assert (tmp_path / 'new/iter_4.pth').is_file()


def test_nothing_to_resume_is_a_start_from_the_beginning(cfg, tmp_path, capsys):
    config = tiny_runs.save(cfg, tmp_path / 'c.py')
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'w', '--resume') == 0
    assert 'nothing to resume' in capsys.readouterr().out
    assert (tmp_path / 'w/iter_2.pth').is_file()


def test_relative_paths_are_those_of_the_current_folder(cfg, tmp_path, monkeypatch):
    tiny_runs.save(cfg, tmp_path / 'c.py')
    (tmp_path / 'here').mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    assert tiny_runs.call(train.main, '../c.py') == 0
    assert (tmp_path / 'here/work_dirs/c/iter_2.pth').is_file()
    assert tiny_runs.call(test.main, '../c.py', 'work_dirs/c/iter_2.pth', '--show-dir', 'show') == 0
    assert len(pictures(tmp_path / 'here/show')) == 4
