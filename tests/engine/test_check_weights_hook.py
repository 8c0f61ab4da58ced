import re

import pytest
import tiny_runs
import torch
from mmengine.hooks import Hook
from mmengine.registry import MODELS
from mmengine.runner import Runner
from test_deeplabv2_ports import port

from mmrev.errors import CheckpointError

NET = dict(depth=18, base_channels=4, num_stages=2, strides=(1, 2), dilations=(1, 1), out_indices=(0, 1))


class Loaded(Exception):
    """The training is about to begin: the weights are those of the file."""


class StopBeforeTraining(Hook):
    def before_train(self, runner) -> None:
        raise Loaded


@pytest.fixture
def cfg(tmp_path):
    cfg = tiny_runs.segmentation(tmp_path / 'data')
    cfg.work_dir = str(tmp_path / 'w')
    return cfg


def load(cfg) -> torch.nn.Module:
    """The model as a training starts from it."""

    def start(_):
        runner = Runner.from_cfg(cfg)
        runner.register_hook(StopBeforeTraining())
        with pytest.raises(Loaded):
            runner.train()
        return runner.model

    return tiny_runs.call(start)


def score(cfg) -> dict:
    return tiny_runs.call(lambda _: Runner.from_cfg(cfg).test())


def random_state(model: dict) -> dict:
    state = MODELS.build(model).state_dict()
    return {name: torch.randn(value.shape) if value.is_floating_point() else value for name, value in state.items()}


def assert_loaded(module, state: dict) -> None:
    own = module.state_dict()
    assert own.keys() == state.keys()
    assert all(torch.equal(own[name], value) for name, value in state.items())


def test_a_torchvision_like_file_fills_the_backbone(cfg, tmp_path):
    state = random_state(dict(type='mmseg.ResNet', **NET))
    torch.save({**state, 'fc.weight': torch.ones(2, 2)}, tmp_path / 'r.pth')
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'r.pth'))
    assert_loaded(load(cfg).backbone, state)
    total = sum('num_batches' not in name for name in state)
    assert f'r.pth into backbone: {total} of {total} keys matched' in tiny_runs.logged(tmp_path / 'w')


def test_a_prefix_is_taken_off(cfg, tmp_path):
    state = random_state(dict(type='mmseg.ResNet', **NET))
    torch.save({'state_dict': {f'backbone.{name}': value for name, value in state.items()}}, tmp_path / 'r.pth')
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'r.pth'), prefix='backbone')
    assert_loaded(load(cfg).backbone, state)


@pytest.mark.parametrize(
    'wrap',
    [
        lambda s: {f'backbone.{name}': value for name, value in s.items()},  # needs prefix='backbone.'
        lambda s: {'model': s},
    ],
)  # which mmengine does not open
def test_a_file_of_which_little_fits_stops_the_training(wrap, cfg, tmp_path):
    torch.save(wrap(random_state(dict(type='mmseg.ResNet', **NET))), tmp_path / 'r.pth')
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'r.pth'))
    runner = tiny_runs.call(lambda _: Runner.from_cfg(cfg))
    with pytest.raises(CheckpointError, match=r'only 0 of \d+ keys matched'):
        runner.train()
    cfg.custom_hooks[0].min_matched = 0
    load(cfg)


@pytest.mark.parametrize(('prefix', 'num_classes'), [('Scale.', 11), ('', 11), ('module.Scale.', 11), ('Scale.', 21)])
def test_a_port_of_deeplabv2_as_load_from(prefix, num_classes, cfg, tmp_path):
    cfg.model.backbone = dict(
        type='ResNet', depth=50, base_channels=2, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4), style='caffe'
    )
    cfg.model.decode_head = dict(type='mmrev.ASPPV2Head', in_channels=64, in_index=3, num_classes=11)
    cfg.load_from = str(tmp_path / 'port.pth')
    file = port(prefix, num_classes)
    torch.save(file, cfg.load_from)
    model = load(cfg)

    backbone = {name: value for name, value in model.backbone.state_dict().items() if 'num_batches' not in name}
    assert all(torch.equal(value, file[prefix + name]) for name, value in backbone.items())
    for index, classifier in enumerate(model.decode_head.conv_seg):
        weight = file[f'{prefix}layer5.conv2d_list.{index}.weight']
        if num_classes == 11:
            assert torch.equal(classifier.weight, weight)
        else:  # left as it was initialised
            assert classifier.weight.std() < 0.1
    total = len(backbone) + 8
    matched = total - 8 * (num_classes != 11)
    assert f'port.pth: {matched} of {total} keys matched' in tiny_runs.logged(tmp_path / 'w')


@pytest.mark.parametrize(
    'change',
    [
        dict(backbone=dict(depth=34)),
        dict(decode_head=dict(num_classes=5)),
        dict(backbone=dict(base_channels=8)),
        dict(decode_head=dict(type='mmrev.LargeFOVHead')),
    ],
)
def test_a_checkpoint_of_another_model_is_not_scored(change, cfg, tmp_path):
    other = cfg.model.copy()
    for part, keys in change.items():
        other[part] = {**other[part], **keys}
    cfg.load_from = str(tmp_path / 'other.pth')
    torch.save({'state_dict': random_state(other)}, cfg.load_from)
    with pytest.raises(CheckpointError, match=r'other\.pth is of another model: \d+ of \d+ keys matched.*For one, '):
        score(cfg)


def test_the_right_checkpoint_is_scored_with_and_without_an_auxiliary_head(cfg, tmp_path):
    state = random_state(cfg.model)
    cfg.load_from = str(tmp_path / 'c.pth')
    torch.save({'state_dict': {**state, 'auxiliary_head.conv_seg.weight': torch.ones(2)}}, cfg.load_from)
    assert 'mIoU' in score(cfg)
    assert re.search(
        r'c\.pth: (\d+) of \1 keys matched, 0 missing, 0 of another shape, 1 left', tiny_runs.logged(tmp_path / 'w')
    )


def test_weights_alone_cannot_be_resumed(cfg, tmp_path):
    cfg.load_from, cfg.resume = str(tmp_path / 'c.pth'), True
    torch.save({'state_dict': random_state(cfg.model)}, cfg.load_from)
    runner = tiny_runs.call(lambda _: Runner.from_cfg(cfg))
    with pytest.raises(CheckpointError, match='no state of a training'):
        runner.train()


def test_an_auxiliary_head_may_be_missing_from_what_is_scored_and_not_from_what_is_resumed(cfg, tmp_path):
    state = random_state(cfg.model)
    cfg.model.auxiliary_head = dict(type='mmrev.LargeFOVHead', in_channels=4, in_index=0, num_classes=11)
    cfg.load_from = str(tmp_path / 'c.pth')
    torch.save({'state_dict': state, 'meta': {}, 'optimizer': {}, 'message_hub': {}}, cfg.load_from)
    assert 'mIoU' in score(cfg)
    cfg.resume = True
    with pytest.raises(CheckpointError, match='of another model.*auxiliary_head'):
        tiny_runs.call(lambda _: Runner.from_cfg(cfg).train())


@pytest.mark.parametrize('backbone', ['mmrev.CBAMResNet', 'mmrev.SEResNet', 'mmrev.RAResNet'])
def test_plain_weights_start_a_network_with_attention(backbone, cfg, tmp_path):
    state = random_state(dict(type='mmseg.ResNet', **NET))
    torch.save(state, tmp_path / 'r.pth')
    cfg.model.backbone.update(type=backbone, init_cfg=dict(type='Pretrained', checkpoint=str(tmp_path / 'r.pth')))
    loaded = load(cfg).backbone.state_dict()
    assert_equal = [torch.equal(loaded[name], value) for name, value in state.items()]
    assert assert_equal and all(assert_equal)


@pytest.mark.parametrize(
    ('wrap', 'option'),
    [
        (lambda net: net, 'model.backbone.init_cfg.checkpoint'),
        (
            lambda net: dict(type='mmrev.add_reverse_attention', network=net),
            'model.backbone.network.init_cfg.checkpoint',
        ),
    ],
)
def test_the_option_for_another_file_is_where_the_missing_one_stands(wrap, option, cfg):
    cfg.model.backbone = wrap(dict(cfg.model.backbone, init_cfg=dict(type='Pretrained', checkpoint='w/x.pth')))
    runner = tiny_runs.call(lambda _: Runner.from_cfg(cfg))
    with pytest.raises(CheckpointError, match=f'w/x.pth is missing: .*--cfg-options {option}=<file>'):
        runner.train()


def test_a_plain_network_starts_one_with_a_learned_fusion(cfg, tmp_path):
    """The fusion has so many keys that the file could look like one of another model."""
    cfg.model.backbone = dict(type='mmrev.LargeFOVVGG', depth=11, fc_channels=8, out_indices=(4, 5))
    cfg.model.decode_head = dict(
        type='FCNHead', num_convs=0, concat_input=False, in_channels=8, channels=8, in_index=1, num_classes=11
    )
    parts = {name: cfg.model[name] for name in ('backbone', 'decode_head')}
    plain = random_state(dict(parts, type='mmseg.EncoderDecoder'))
    torch.save({'state_dict': plain}, tmp_path / 'plain.pth')
    cfg.model.update(
        scales=(1.0, 0.5, 0.25),
        fusion=dict(
            type='mmrev.ScaleAttentionHead',
            in_channels=[512, 8],
            num_classes=11,
            dilations=(3, 2, 1),
            channels=4,
            scale_channels=4,
        ),
    )
    cfg.load_from = str(tmp_path / 'plain.pth')
    loaded = load(cfg).state_dict()
    fusion = {name for name in loaded if name.startswith('fusion.')}
    assert len(fusion) > 0.3 * len(loaded) and loaded.keys() - fusion == plain.keys()
    assert all(torch.equal(loaded[name], value) for name, value in plain.items())
