from pathlib import Path

import pytest
from reading_configs import read

from mmrev.config_files import config_root
from mmrev.datasets.checks import leaf_datasets
from mmrev.errors import ConfigError, DataError
from mmrev.reproduction.experiment import Settings, _located, _share_batch, _started, make_experiment
from mmrev.reproduction.papers import read_papers
from mmrev.reproduction.runs import Trained


@pytest.fixture(scope='module')
def papers():
    return read_papers(config_root())


def roots(cfg):
    return {
        str(leaf['data_root'])
        for split in ('train', 'val', 'test')
        for leaf in leaf_datasets(cfg[f'{split}_dataloader'].dataset)
    }


def test_the_data_root_holds_the_data_sets_or_is_one(tmp_path):
    assert roots(_located(read('ran_n_r18_camvid'), str(tmp_path))) == {str(tmp_path)}
    (tmp_path / 'CamVid').mkdir()
    assert roots(_located(read('ran_n_r18_camvid'), str(tmp_path))) == {str(tmp_path / 'CamVid')}
    assert roots(_located(read('ran_n_r18_camvid'), None)) == {'data/CamVid'}


def test_the_annotations_of_a_metric_move_with_their_data_set(tmp_path):
    (tmp_path / 'coco').mkdir()
    cfg = _located(read('faster_rcnn_ra_r50_fpn_coco'), str(tmp_path))
    (file,) = {evaluator.ann_file for evaluator in (cfg.val_evaluator, cfg.test_evaluator)}
    assert Path(file).is_relative_to(tmp_path / 'coco') and Path(file).name == 'instances_val2017.json'


def test_a_missing_data_set_is_named_before_a_training(papers, tmp_path):
    settings = Settings(tmp_path / 'out', data_root=str(tmp_path / 'nowhere'))
    with pytest.raises(DataError, match=f'CamVidDataset: {tmp_path}/nowhere is missing'):
        make_experiment(papers, 'ran_n_r18_camvid', 0, settings)
    assert not settings.out.exists()


def test_made_up_data_needs_no_data_set(papers, tmp_path):
    found = make_experiment(papers, 'ran_n_r18_camvid', 7, Settings(tmp_path, 'tiny', made_up_data=True))
    assert found.cfg.randomness.seed == 7 and found.cfg.train_cfg.max_iters == 2
    assert all(
        Path(root).is_relative_to(tmp_path / 'made_up_data/ran_n_r18_camvid/seed_7') for root in roots(found.cfg)
    )
    assert [split.images for split in found.splits] == [4, 2, 2]


def test_a_detector_starts_from_the_classifier_of_its_seed(papers, tmp_path):
    settings, cfg = Settings(tmp_path), read('faster_rcnn_ra_r50_fpn_coco')
    with pytest.raises(ConfigError, match='starts from the weights of ra_resnet50_in1k, seed 1: not run'):
        _started(_located(cfg, None), papers, 1, settings)
    run = settings.run('ra_resnet50_in1k', 1)
    run.folder.mkdir(parents=True)
    (run.folder / 'epoch_100.pth').touch()
    run.mark_trained(Trained('epoch_100.pth', '', '', 1, 0.0, '', '', ''))
    started = _started(_located(cfg, None), papers, 1, settings)
    assert started.model.backbone.init_cfg.checkpoint == str(run.folder / 'epoch_100.pth')


def test_gpus_share_the_batch_of_a_step():
    cfg = _located(read('ran_n_r18_camvid'), None)
    batch = cfg.train_dataloader.batch_size
    _share_batch(cfg, 'row', 2)
    assert cfg.train_dataloader.batch_size == batch / 2
    with pytest.raises(ConfigError, match='7 GPUs cannot share .* images a step: use --gpus 1'):
        _share_batch(cfg, 'row', 7)
