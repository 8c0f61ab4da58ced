"""The temperature in the model at every forward pass, of trainings by the real runner."""

import pytest
import tiny_runs
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from reference import ra_net

from mmrev.engine import TemperatureAnnealingHook, read_checkpoint
from mmrev.errors import ConfigError
from mmrev.models.layers import ModifiedGRN

IMAGES, BATCH = 4, 2
AN_EPOCH = IMAGES // BATCH


@pytest.fixture
def cfg(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path, length=IMAGES)
    cfg.work_dir = str(tmp_path / 'w')
    cfg.model.backbone.type = 'mmrev.RAResNet'
    cfg.custom_hooks += [dict(type='mmrev.TemperatureAnnealingHook', epochs=2)]
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=6, val_interval=1000)
    return cfg


def by_epoch(cfg, epochs=3):
    cfg.train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=1000)
    cfg.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=False)
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', interval=1)
    cfg.log_processor.by_epoch = True


def train(cfg, stop_at=None):
    """The temperatures that the forward passes of a training saw, and its runner."""
    seen = []
    runner = tiny_runs.call(lambda _: Runner.from_cfg(cfg))

    def look(module, inputs):
        if module.training:
            seen.append(module.temperature.item())

    gate = next(module for module in runner.model.modules() if isinstance(module, ModifiedGRN))
    gate.register_forward_pre_hook(look)
    runner.train()
    return seen[::2], runner  # two scales a step


def expected(iterations, **options):
    return [pytest.approx(ra_net.temperature(i, AN_EPOCH, **{'epochs': 2, **options})) for i in iterations]


def test_it_falls_by_iteration_and_stays_at_its_end(cfg):
    seen, runner = train(cfg)
    assert seen == expected(range(0, 6))
    assert seen == pytest.approx([30, 22.75, 15.5, 8.25, 1, 1])
    assert all(gate.temperature == 1 for gate in runner.model.modules() if isinstance(gate, ModifiedGRN))


def test_epochs_of_an_epoch_based_training(cfg):
    by_epoch(cfg)
    assert train(cfg)[0] == expected(range(0, 6))


@pytest.mark.parametrize('options', [dict(start=10, end=2, epochs=1), dict(start=5, end=5, epochs=3)])
def test_its_options(options, cfg):
    cfg.custom_hooks[-1].update(options)
    assert train(cfg)[0] == expected(range(0, 6), **options)


def test_a_resumed_training_goes_on_where_it_was(cfg, tmp_path):
    cfg.train_cfg.max_iters = 3
    cfg.default_hooks.checkpoint.interval = 3
    assert train(cfg)[0] == expected(range(0, 3))
    saved = read_checkpoint(tmp_path / 'w/iter_3.pth')['state_dict']['backbone.layer1.0.addition.gate.temperature']
    assert saved == expected([3])[0]
    cfg.train_cfg.max_iters = 6
    cfg.load_from, cfg.resume = str(tmp_path / 'w/iter_3.pth'), True
    assert train(cfg)[0] == expected(range(3, 6))


@pytest.mark.parametrize('ema', [dict(), dict(update_buffers=True), dict(ema_type='StochasticWeightAverage')], ids=str)
def test_an_averaged_model_has_the_same_temperature(ema, cfg):
    cfg.custom_hooks += [dict(type='EMAHook', **ema)]
    checked = []

    @HOOKS.register_module(force=True)
    class CompareTemperatures(Hook):
        priority = 'VERY_LOW'

        def after_train_iter(self, runner, *_, **__):
            averaged = next(hook.ema_model for hook in runner.hooks if hasattr(hook, 'ema_model'))
            pairs = [
                [gate.temperature.item() for gate in model.modules() if isinstance(gate, ModifiedGRN)]
                for model in (runner.model, averaged)
            ]
            assert pairs[0] == pairs[1] == [expected([runner.iter + 1])[0]] * len(pairs[0])
            checked.append(len(pairs[0]))

    cfg.custom_hooks += [dict(type='CompareTemperatures')]
    train(cfg)
    assert checked == [4] * 6


def test_two_processes_halve_the_iterations_of_an_epoch(cfg, monkeypatch):
    monkeypatch.setattr('mmrev.engine.hooks.temperature_annealing_hook.get_world_size', lambda: 2)
    cfg.train_dataloader.batch_size = 1
    assert train(cfg)[0] == expected(range(6))


def test_a_model_without_gates_is_refused(cfg):
    cfg.model.backbone.type = 'ResNet'
    with pytest.raises(ConfigError, match='no ModifiedGRN'):
        tiny_runs.call(lambda _: Runner.from_cfg(cfg)).train()


@pytest.mark.parametrize('options', [dict(start=0), dict(end=-1), dict(epochs=0)], ids=str)
def test_values_without_a_meaning_are_refused(options):
    with pytest.raises(ConfigError, match='expected a number above 0'):
        TemperatureAnnealingHook(**options)


def test_the_papers_values_are_the_defaults():
    hook = TemperatureAnnealingHook()
    hook.iterations = 10 * 500
    assert [hook.at(i) for i in (0, 2500, 5000, 9999)] == [30, 15.5, 1, 1]
