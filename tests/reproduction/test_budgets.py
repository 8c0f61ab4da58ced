from types import SimpleNamespace

import pytest
from reading_configs import read

from mmrev.datasets.checks import leaf_datasets
from mmrev.errors import ConfigError
from mmrev.reproduction.budgets import SIZES, shrink

ROWS = (
    'ran_n_r18_camvid',
    'deeplabv2_r101_nyudv2',
    'ranet_r101_cityscapes',
    'scale_attention_psp_r34d8_ade20k',
    'upernet_ra_r50_ade20k',
    'ra_resnet18_in1k',
    'mask_rcnn_ra_r50_fpn_coco',
)
LENGTHS = ('max_iters', 'max_epochs')


def length(cfg):
    (key,) = [key for key in LENGTHS if key in cfg.train_cfg]
    return cfg.train_cfg[key]


def schedules(cfg):
    found = cfg.param_scheduler
    return [found] if isinstance(found, dict) else found


def split(name, images):
    return SimpleNamespace(name=name, images=images)


def test_paper_is_the_config_as_it_is():
    cfg = read(ROWS[0])
    assert shrink(cfg, 'paper', []) is cfg


def test_an_unknown_budget_is_named():
    with pytest.raises(ConfigError, match="unknown budget 'large': use one of 'tiny', 'small', 'paper'"):
        shrink(read(ROWS[0]), 'large', [])


@pytest.mark.parametrize('name', ROWS)
@pytest.mark.parametrize('budget', SIZES)
def test_a_budget_shortens_the_training_and_keeps_the_shape_of_its_schedule(budget, name):
    before = read(name)
    text = before.pretty_text
    cfg = shrink(before, budget, [])
    assert before.pretty_text == text
    assert length(cfg) == SIZES[budget].epochs if 'max_epochs' in cfg.train_cfg else SIZES[budget].iterations
    assert cfg.train_dataloader.batch_size in SIZES[budget].batch.values()
    factor = cfg.train_dataloader.batch_size / before.train_dataloader.batch_size
    assert cfg.optim_wrapper.optimizer.lr == pytest.approx(before.optim_wrapper.optimizer.lr * factor)
    assert cfg.val_dataloader is cfg.val_cfg is cfg.val_evaluator is None
    assert cfg.default_hooks.checkpoint.interval <= max(1, length(cfg) // 10)
    for old, new in zip(schedules(before), schedules(cfg), strict=True):
        assert old['type'] == new['type'] and new.get('begin', 0) < new.get('end', length(cfg))
        if old.get('end') == length(before):
            assert new['end'] == length(cfg)
        assert [each / length(cfg) for each in new.get('milestones', ())] == pytest.approx(
            [each / length(before) for each in old.get('milestones', ())], abs=0.5 / length(cfg)
        )


def test_the_test_reads_images_from_the_whole_list():
    cfg = shrink(read(ROWS[0]), 'tiny', [split('train', 367), split('test', 233)])
    (test,) = leaf_datasets(cfg.test_dataloader.dataset)
    assert len(test['indices']) == SIZES['tiny'].test_images
    assert min(test['indices']) < 233 / 8 and max(test['indices']) >= 233 * 7 / 8
    (train,) = leaf_datasets(cfg.train_dataloader.dataset)
    assert 'indices' not in train  # its length counts steps, not images


def test_a_small_test_set_is_read_whole():
    cfg = shrink(read(ROWS[0]), 'small', [split('train', 9), split('test', 9)])
    (test,) = leaf_datasets(cfg.test_dataloader.dataset)
    assert 'indices' not in test


def test_the_temperature_anneals_over_the_same_share_of_the_training():
    epochs = {}
    for budget in ('paper', 'small'):
        cfg = shrink(read('ra_resnet18_in1k'), budget, [split('train', 1_281_167)])
        (hook,) = [hook for hook in cfg.custom_hooks if hook['type'] == 'mmrev.TemperatureAnnealingHook']
        epochs[budget] = hook.get('epochs', 10) / length(cfg)
    assert epochs['small'] == pytest.approx(epochs['paper'])
    (train,) = leaf_datasets(cfg.train_dataloader.dataset)
    assert len(train['indices']) * length(cfg) == cfg.train_dataloader.batch_size * SIZES['small'].iterations


def test_tiny_needs_no_weights_and_small_starts_from_those_of_the_paper():
    weights = {budget: shrink(read('ran_n_r18_camvid'), budget, []).pretty_text.count('Pretrained') for budget in SIZES}
    assert weights == dict(tiny=0, small=1)
