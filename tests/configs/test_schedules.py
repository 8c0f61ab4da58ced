"""How configs count: a schedule saves, logs and validates by its own unit, and can be resumed from the middle."""

import pytest
from reading_configs import CONFIGS, read

every_config = pytest.mark.parametrize('name', CONFIGS)
BY_EPOCH = {'mmpretrain', 'mmdet'}
MMSEG_CONFIGS = [name for name in CONFIGS if not name.endswith(('_in1k', '_coco'))]


def counts_epochs(cfg):
    return 'max_epochs' in cfg.train_cfg


def length_of(cfg):
    return cfg.train_cfg.max_epochs if counts_epochs(cfg) else cfg.train_cfg.max_iters


@every_config
def test_the_loop_has_one_unit(name):
    train = read(name).train_cfg
    by_epoch = counts_epochs(read(name))
    assert by_epoch == (read(name).default_scope in BY_EPOCH)
    assert ('max_iters' in train) != by_epoch
    assert train.get('by_epoch', train.get('type') == 'EpochBasedTrainLoop') == by_epoch


@every_config
def test_hooks_and_log_count_as_the_loop_does(name):
    cfg = read(name)
    by_epoch = counts_epochs(cfg)
    assert cfg.default_hooks.checkpoint.get('by_epoch', True) == by_epoch
    assert cfg.default_hooks.logger.get('log_metric_by_epoch', True) == by_epoch
    assert cfg.get('log_processor', {}).get('by_epoch', True) == by_epoch


@every_config
def test_a_training_can_be_resumed_from_the_middle(name):
    cfg, checkpoint = read(name), read(name).default_hooks.checkpoint
    assert checkpoint.type == 'CheckpointHook'
    assert checkpoint.interval <= length_of(cfg) // 10 or counts_epochs(cfg)
    assert checkpoint.interval < length_of(cfg) and length_of(cfg) % checkpoint.interval == 0
    assert checkpoint.max_keep_ckpts >= 2


@every_config
def test_validation_and_learning_rate_end_with_the_training(name):
    cfg, length = read(name), length_of(read(name))
    assert length % cfg.train_cfg.val_interval == 0
    schedulers = cfg.param_scheduler if isinstance(cfg.param_scheduler, list) else [cfg.param_scheduler]
    warm_ups = [scheduler for scheduler in schedulers if scheduler.type == 'LinearLR']
    (decay,) = [scheduler for scheduler in schedulers if scheduler not in warm_ups]
    assert decay.by_epoch == counts_epochs(cfg)
    assert decay.get('end', length) == decay.get('T_max', length) == length
    assert max(decay.get('milestones', [0])) < length


@pytest.mark.parametrize('name', MMSEG_CONFIGS)
def test_predictions_can_be_drawn(name):
    cfg = read(name)
    assert cfg.default_scope == 'mmseg'
    assert cfg.default_hooks.visualization.type == 'SegVisualizationHook'
    assert cfg.visualizer.type == 'SegLocalVisualizer' and cfg.visualizer.vis_backends
