"""Parameters and FLOPs of small and odd models. test_ra_net_tables.py checks the figures of the paper's tables."""

from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from torch import nn
from torch.nn import functional as F

from mmrev.complexity import complexity, count, input_shape
from mmrev.config_files import find_config
from mmrev.errors import ConfigError, UserError
from mmrev.hosts import host_problem

NO_DETECTORS = host_problem('mmdet', ops=True)


def detector(name: str) -> Config:
    return Config.fromfile(Path(find_spec('mmdet').submodule_search_locations[0], '.mim/configs', name))


@pytest.mark.skipif(bool(NO_DETECTORS), reason=str(NO_DETECTORS))
def test_a_detector_and_the_classifier_that_its_backbone_comes_from():
    cfg = detector('faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py')
    before = cfg.to_dict()
    found = complexity(cfg)
    assert cfg.to_dict() == before
    assert found.shape == (800, 1280)
    assert f'{found.params / 1e6:.2f}' == '41.75'  # mmdet's own count
    assert found.with_classifier == found.trainable + 2048 * 1000 + 1000
    stem_and_first_stage = 225_344
    assert found.params - found.trainable == stem_and_first_stage


@pytest.mark.skipif(bool(NO_DETECTORS), reason=str(NO_DETECTORS))
def test_a_cascade_runs_all_its_heads():
    one = complexity(detector('faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'))
    three = complexity(detector('cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py'))
    # each of the three has one box for all 80 classes
    head = 1000 * (256 * 7 * 7 * 1024 + 1024 * 1024 + 1024 * 81 + 2 * 1024)
    assert three.mmcv - one.mmcv == 3 * (head + 1000 * 1024 * 4) - (head + 1000 * 1024 * 320)


@pytest.mark.skipif(bool(NO_DETECTORS), reason=str(NO_DETECTORS))
@pytest.mark.parametrize(
    ('name', 'kind'),
    [
        ('point_rend/point-rend_r50-caffe_fpn_ms-1x_coco.py', 'PointRend with a PointRendRoIHead'),
        ('panoptic_fpn/panoptic-fpn_r50_fpn_1x_coco.py', 'PanopticFPN with a StandardRoIHead'),
    ],
)
def test_heads_that_would_be_left_out(name, kind):
    with pytest.raises(UserError, match=f'^a {kind} cannot be counted: expected'):
        complexity(detector(name))


class Twice(nn.Module):
    """Runs one convolution of 12 * 3 multiply-adds twice (2 x 2 image), then a norm of 12 numbers, then functions."""

    def __init__(self):
        super().__init__()
        self.shared = nn.Conv2d(3, 3, 1, bias=False)
        self.norm = nn.BatchNorm2d(3)

    def forward(self, x):
        x = self.norm(self.shared(self.shared(x)))
        return F.relu(F.conv2d(x, self.shared.weight)) @ x


def test_a_layer_counts_as_often_as_it_runs_and_functions_do_not():
    assert count(Twice(), (2, 2), 'thop') == 2 * (12 * 3) + 4 * 12
    assert count(Twice(), (2, 2), 'mmcv') == 2 * (12 * 3) + 2 * 12


def test_an_unknown_rule_is_named():
    with pytest.raises(ConfigError, match="unknown FLOP rule 'fvcore': use one of 'thop', 'mmcv'"):
        count(Twice(), (2, 2), 'fvcore')


@pytest.mark.parametrize(('shape', 'outcome'), [((2, 2), nullcontext()), ((2, 3), pytest.raises(UserError))])
def test_a_model_is_left_as_it_was(shape, outcome):
    model = Twice()
    model.shared.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with outcome:
        count(model, shape)
    assert [layer.training for layer in model.modules()] == [True, False, True]
    assert not any(layer._forward_hooks for layer in model.modules())
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_model_that_does_not_run_is_one_line():
    with pytest.raises(UserError) as error:
        count(Twice(), (2, 3))
    assert str(error.value).startswith('Twice cannot be counted: it does not run in tensor mode on an image of 2 x 3')
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    'name',
    [
        'deeplabv2_aspp_r101_pcontext',
        'ran_dual_r101_pcontext',
        'ran_s_r101_crf_pcontext',
        'ran_n_r18_camvid',
        'ran_n_digit_scenes',
    ],
)
def test_our_segmentors(name):
    cfg = Config.fromfile(find_config(name))
    before = cfg.to_dict()
    found = complexity(cfg)
    assert cfg.to_dict() == before
    assert found.shape == tuple(cfg.crop_size)
    assert found.trainable <= found.params
    assert found.thop > found.mmcv > 1e7


def test_a_multi_scale_model_runs_at_all_scales():
    cfg = Config.fromfile(find_config('ran_n_r18_camvid'))
    cfg.model.scales = (1.0,)
    alone = [complexity(cfg, shape).thop for shape in [(65, 97), (33, 49)]]
    cfg.model.scales = (1.0, 0.5)
    assert complexity(cfg, (65, 97)).thop == sum(alone)


def test_an_auxiliary_head_has_parameters_and_no_flops():
    cfg = Config.fromfile(find_config('ran_n_r18_camvid'))
    without = complexity(cfg)
    cfg.model.auxiliary_head = dict(type='FCNHead', in_channels=256, in_index=2, channels=8, num_classes=11)
    found = complexity(cfg)
    assert found.params > without.params and found.thop == without.thop


def loader(*steps: dict) -> dict:
    return dict(dataset=dict(type='RepeatDataset', dataset=dict(type='X', pipeline=list(steps))))


RESIZED, CROPPED = dict(type='RandomResizedCrop', scale=192), dict(type='CenterCrop', crop_size=224)


@pytest.mark.parametrize(
    ('cfg', 'shape'),
    [
        (dict(default_scope='mmdet', model=dict()), (800, 1280)),
        (dict(model=dict(data_preprocessor=dict(size=(48, 64))), crop_size=(1, 1)), (48, 64)),
        (dict(model=dict(), data_preprocessor=dict(size=(48, 64))), (48, 64)),
        (dict(model=dict(), crop_size=(32, 48)), (32, 48)),
        (dict(model=dict(), train_dataloader=loader(RESIZED), test_dataloader=loader(CROPPED)), (224, 224)),
        (dict(model=dict(), train_dataloader=loader(RESIZED), test_dataloader=loader()), (192, 192)),
    ],
)
def test_the_inputs_size_is_the_configs(cfg, shape):
    assert input_shape(Config(cfg)) == shape


def test_a_config_without_a_size():
    with pytest.raises(ConfigError, match='--shape'):
        input_shape(Config(dict(model=dict(), train_dataloader=loader(dict(type='Resize', scale=(640, 480))))))


@pytest.mark.parametrize('name', ['ranet_r101', 'psanet_r101', 'ccnet_r101'])
def test_heads_that_look_at_numbers_and_heads_with_compiled_operators(name):
    if name != 'ranet_r101' and (problem := host_problem('mmseg', ops=True)):
        pytest.skip(problem)
    ours, fcn = (
        complexity(Config.fromfile(find_config(f'ranet/{head}_cityscapes.py')), (65, 65)) for head in (name, 'fcn_r101')
    )
    assert ours.params > fcn.params and ours.thop > fcn.thop and ours.mmcv > fcn.mmcv
