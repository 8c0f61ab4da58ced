"""Pictures during trainings by the real runner. The trainings must stay the same."""

import random

import matplotlib.image
import numpy as np
import pytest
import tiny_runs
import torch
from mmcv.transforms import BaseTransform
from mmengine.registry import TRANSFORMS
from mmengine.runner import Runner

from mmrev.cli import draw, train
from mmrev.engine import RegionPicturesHook
from mmrev.errors import ConfigError
from mmrev.visualization import ranet_figures


@TRANSFORMS.register_module()
class Noise(BaseTransform):
    """It uses all three random states, in training and validation."""

    def transform(self, results):
        noise = random.random() + np.random.rand() + torch.rand(()).item()
        results['img'] = np.clip(results['img'] + 40 * noise, 0, 255).astype(np.uint8)
        return results


@pytest.fixture
def cfg(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.model.update(type='EncoderDecoder')
    cfg.model.pop('scales')
    cfg.model.decode_head.update(type='mmrev.RegionAttentionHead', channels=8, num_representatives=2)
    cfg.train_dataloader.dataset.pipeline.insert(-1, dict(type='mmrev.BoundaryLabels'))
    cfg.work_dir = str(tmp_path / 'w')
    cfg.train_cfg.max_iters = 4
    return cfg


@pytest.fixture
def unpainted(monkeypatch):
    """The rows of each picture, instead of the picture: an empty file."""
    drawn = []
    monkeypatch.setattr(ranet_figures, 'save_panel', lambda path, rows, *_, **__: drawn.append(rows) or path.touch())
    return drawn


def trained(cfg, **options):
    """The weights after a training, with the hook if it has options."""
    if options:
        cfg.custom_hooks += [dict(type='mmrev.RegionPicturesHook', **options)]
    runner = tiny_runs.call(lambda _: Runner.from_cfg(cfg))
    runner.train()
    return runner.model.state_dict()


def pictures(folder):
    return sorted(path.name for path in folder.glob('w/regions/*'))


def by_epoch(cfg):
    cfg.train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=2, val_interval=1000)
    cfg.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=True)
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', interval=1)
    cfg.log_processor.by_epoch = True


@pytest.mark.parametrize('loop', [None, by_epoch])
def test_the_training_is_the_same_with_and_without(cfg, tmp_path, unpainted, loop, monkeypatch):
    # oneDNN's convolutions differ in the last digit from one call to the next
    monkeypatch.setattr(torch.backends.mkldnn, 'enabled', False)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.dataset.pipeline.insert(1, dict(type='Noise'))
    if loop:
        loop(cfg)
    without = trained(cfg)
    assert not pictures(tmp_path)
    for name, weights in trained(cfg, interval=1, images=2).items():
        assert torch.equal(weights, without[name]), name
    assert pictures(tmp_path) == [f'iter_{i}.png' for i in (1, 2, 3, 4)]


def test_modes_come_back(cfg, unpainted, monkeypatch):
    """A frozen batch norm stays in evaluation mode, all others go on training."""
    cfg.model.backbone.update(norm_eval=True, norm_cfg=dict(type='BN'))
    modes = []
    draw_now = RegionPicturesHook._draw
    monkeypatch.setattr(
        RegionPicturesHook,
        '_draw',
        lambda hook, path, model, dataset: (
            modes.append([module.training for module in model.modules()]),
            draw_now(hook, path, model, dataset),
        ),
    )
    after = RegionPicturesHook.after_train_iter

    def compared(hook, runner, *args, **kwargs):
        before = [module.training for module in runner.model.modules()]
        after(hook, runner, *args, **kwargs)
        assert [module.training for module in runner.model.modules()] == before
        assert any(before) and not all(before)

    monkeypatch.setattr(RegionPicturesHook, 'after_train_iter', compared)
    trained(cfg, interval=2, images=1)
    assert len(modes) == 2 and not any(map(any, modes))


@pytest.mark.parametrize(
    ('options', 'expected'),
    [(dict(iterations=(1, 3, 9)), [1, 3]), (dict(iterations=2), [2]), (dict(iterations=[1], interval=2), [1, 2, 4])],
)
def test_the_iterations_of_the_pictures(cfg, tmp_path, unpainted, options, expected):
    trained(cfg, images=1, **options)
    assert pictures(tmp_path) == [f'iter_{i}.png' for i in expected]


def test_a_resumed_training_counts_on(cfg, tmp_path, unpainted):
    cfg.train_cfg.max_iters = 2
    trained(cfg, iterations=[1, 3], interval=4, out='regions/of_it')
    assert [path.name for path in tmp_path.glob('w/regions/of_it/*')] == ['iter_1.png']
    cfg.train_cfg.max_iters = 4
    cfg.load_from, cfg.resume = str(tmp_path / 'w/iter_2.pth'), True
    trained(cfg)
    assert sorted(path.name for path in tmp_path.glob('w/regions/of_it/*')) == [f'iter_{i}.png' for i in (1, 3, 4)]


def test_the_same_images_by_the_model_of_the_iteration(cfg, unpainted):
    cfg.optim_wrapper.optimizer.lr = 1.0
    trained(cfg, interval=2, images=3)
    before, after = unpainted
    assert len(before) == len(after) == 3
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])
        assert (one[3] != other[3]).any()


def test_other_processes_draw_nothing(cfg, tmp_path, monkeypatch):
    monkeypatch.setattr('mmrev.engine.hooks.region_pictures_hook.is_main_process', lambda: False)
    cfg.train_cfg.max_iters = 1
    trained(cfg, interval=1)
    assert not pictures(tmp_path)


def test_from_the_command_line_and_then_from_the_checkpoint(cfg, tmp_path, capsys):
    cfg.custom_hooks += [dict(type='mmrev.RegionPicturesHook', iterations=(4,))]
    config = tiny_runs.save(cfg, tmp_path / 'tiny.py')
    assert tiny_runs.call(train.main, config, '--work-dir', tmp_path / 'w') == 0
    assert tiny_runs.call(draw.main, config, tmp_path / 'w/iter_4.pth', '--out', tmp_path / 'out', '--rows', '4') == 0
    assert f'regions: {tmp_path / "w/regions/iter_4.png"}' in tiny_runs.logged(tmp_path / 'w')
    assert 'figure5.png' in capsys.readouterr().out
    in_training, later = (
        matplotlib.image.imread(path) for path in (tmp_path / 'w/regions/iter_4.png', tmp_path / 'out/figure5.png')
    )
    assert in_training.shape == later.shape and in_training.std() > 0.05


def test_a_model_without_regions_is_refused(cfg):
    cfg.model.decode_head = dict(type='mmrev.LargeFOVHead', in_channels=8, in_index=1, num_classes=11, channels=8)
    with pytest.raises(ConfigError, match='the model has no regions'):
        trained(cfg, interval=1)


def test_a_config_without_validation_data_is_refused(cfg, tmp_path, capsys):
    for part in ('val_dataloader', 'val_cfg', 'val_evaluator'):
        cfg[part] = None
    cfg.custom_hooks += [dict(type='mmrev.RegionPicturesHook', interval=1)]
    assert tiny_runs.call(train.main, tiny_runs.save(cfg, tmp_path / 'tiny.py'), '--work-dir', tmp_path / 'w') == 1
    assert 'RegionPicturesHook draws validation images, and the config has none: ' in tiny_runs.error_line(capsys)


@pytest.mark.parametrize('options', [{}, dict(interval=0), dict(iterations=[0, 5]), dict(interval=5, images=0)])
def test_values_without_a_meaning_are_refused(options):
    with pytest.raises(ConfigError, match='of at least 1|never draws'):
        RegionPicturesHook(**options)
