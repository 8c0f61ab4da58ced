"""RA-Net's configs: each is the row that its name says it is, with the settings of table 1."""

import re

import pytest
from mmengine.registry import MODELS, DefaultScope
from reading_configs import CONFIGS, docstring, names_in, plain, read, steps

from mmrev.hosts import host_problem
from mmrev.models.layers import CBAM, ModifiedGRN, SqueezeExcitation

PREFIXES, PAIRS = ('', 'se_', 'cbam_', 'ra_'), ('', 'ra_')
CLASSIFIERS = {
    f'{prefix}{network}_in1k'
    for prefix in PREFIXES
    for network in ('resnet18', 'resnet50', 'resnet101', 'mobilenetv2_050', 'mobilenetv2_075', 'mobilenetv2_100')
}
ABLATIONS = {
    f'ra_resnet18_{change}_in1k'
    for change in ('agg_gmp', 'agg_gap', 'agg_l1', 'norm_none', 'norm_bn', 'norm_ln', 'act_softmax', 'act_sigmoid')
}
WITHOUT_TEMPERATURE = {f'ra_{network}_no_temp_in1k' for network in ('resnet18', 'resnet50', 'mobilenetv2_100')}
LONGER = {
    f'{prefix}{network}_{epochs}e_in1k'
    for prefix in PAIRS
    for network in ('resnet50', 'mobilenetv2_100')
    for epochs in (200, 300)
}
DETECTORS = {f'{model}_{prefix}r50_fpn_coco' for model in ('faster_rcnn', 'mask_rcnn') for prefix in PREFIXES}
SEGMENTORS = {f'upernet_{prefix}r50_ade20k' for prefix in PREFIXES}
ON_IMAGENET = sorted(CLASSIFIERS | ABLATIONS | WITHOUT_TEMPERATURE | LONGER)
DOWNSTREAM = sorted(DETECTORS | SEGMENTORS)
NAMES = names_in('ra_net')

# table 1: dropout before the classifier
DROPOUT = {
    'resnet18': 0,
    'resnet50': 0.2,
    'resnet101': 0.2,
    'mobilenetv2_050': 0,
    'mobilenetv2_075': 0.1,
    'mobilenetv2_100': 0.2,
}
ATTENTION = {'se_': SqueezeExcitation, 'cbam_': CBAM, 'ra_': ModifiedGRN}
no_detectors = pytest.mark.skipif(bool(host_problem('mmdet', ops=True)), reason='detectors need compiled operators')


def prefix_of(name):
    return next(prefix for prefix in PREFIXES[::-1] if name.startswith(prefix) or f'_{prefix}r50' in name)


def network_of(name):
    return re.search(r'(resnet\d+|mobilenetv2_\d+)', name).group()


def attention_of(model):
    """How many modules of each attention there are, of those that occur."""
    found = {
        prefix: sum(isinstance(module, layer) for module in model.modules()) for prefix, layer in ATTENTION.items()
    }
    return {prefix: count for prefix, count in found.items() if count}


def test_every_row_has_a_config():
    assert set(NAMES) == {*ON_IMAGENET, *DOWNSTREAM}
    assert len(NAMES) == 55


@pytest.mark.parametrize('name', ON_IMAGENET)
def test_table_1(name):
    cfg, network = read(name), network_of(name)
    resnet = network.startswith('resnet')
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.momentum, optimizer.weight_decay) == (
        'SGD',
        0.1 if resnet else 0.05,
        0.9,
        1e-4 if resnet else 4e-5,
    )
    assert cfg.train_dataloader.batch_size == 256
    longer = re.search(r'_(\d00)e_', name)
    epochs = cfg.train_cfg.max_epochs
    assert epochs == (int(longer[1]) if longer else 100 if resnet else 150)
    schedule = cfg.param_scheduler
    if resnet:
        assert (schedule.type, schedule.milestones) == ('MultiStepLR', [epochs * part // 10 for part in (3, 6, 9)])
        assert schedule.gamma == 0.1 and cfg.model.backbone.zero_init_residual is False
    else:
        assert (schedule.type, schedule.T_max, schedule.end) == ('CosineAnnealingLR', epochs, epochs)
    assert {'RandomResizedCrop', 'RandomFlip'} < {*steps(name)}
    assert steps(name)['RandomResizedCrop'].scale == steps(name, 'val')['CenterCrop'].crop_size == 224
    assert cfg.val_evaluator.topk == (1, 5)


@pytest.mark.parametrize('name', ON_IMAGENET)
def test_the_classifier_is_built_with_its_attention_and_dropout(name):
    cfg, network, prefix = read(name), network_of(name), prefix_of(name)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg.model)
    depth = network.removeprefix('resnet')
    assert str(cfg.model.backbone.get('depth')) == depth or f'{int(depth[-3:]) / 100}' == str(
        cfg.model.backbone.widen_factor
    )
    blocks = {'18': 8, '50': 16, '101': 33}.get(depth, 10)
    assert attention_of(model) == ({prefix: blocks} if prefix else {})
    assert getattr(getattr(model.neck, 'dropout', None), 'p', 0) == DROPOUT[network]
    assert model.head.num_classes == 1000


@pytest.mark.parametrize('name', NAMES)
def test_only_gates_trained_on_imagenet_have_a_temperature(name):
    anneals = [hook for hook in read(name).custom_hooks if hook.type == 'mmrev.TemperatureAnnealingHook']
    wanted = name in ON_IMAGENET and prefix_of(name) == 'ra_' and name not in WITHOUT_TEMPERATURE
    assert len(anneals) == wanted
    assert all(hook == dict(type='mmrev.TemperatureAnnealingHook') for hook in anneals)


@pytest.mark.parametrize('name', sorted(ABLATIONS))
def test_an_ablation_changes_what_it_says(name):
    kind, value = re.search(r'_(agg|norm|act)_(\w+)_in1k', name).groups()
    argument = dict(agg='aggregation', norm='normalization', act='activation')[kind]
    ablated, whole = plain(name), plain('ra_resnet18_in1k')
    assert ablated['model']['backbone'].pop(argument) == value
    assert ablated == whole


@pytest.mark.parametrize('name', [name for name in NAMES if prefix_of(name) and name not in ABLATIONS])
def test_only_the_backbone_differs_from_the_baseline(name):
    prefix = prefix_of(name)
    baseline = name.replace('_no_temp', '').replace(prefix, '', 1)
    parts = [plain(name), plain(baseline)]
    assert (
        parts[0]['model']['backbone']['type']
        == dict(se_='mmrev.SE', cbam_='mmrev.CBAM', ra_='mmrev.RA')[prefix] + parts[1]['model']['backbone']['type']
    )
    for cfg in parts:
        cfg['custom_hooks'] = cfg['custom_hooks'][:2]
        cfg['model']['backbone'].pop('type')
        cfg['model']['backbone'].pop('init_cfg', None)
    assert parts[0] == parts[1]


@pytest.mark.parametrize('name', DOWNSTREAM)
def test_the_backbone_starts_from_the_classifier_that_is_trained_before(name):
    init, classifier = read(name).model.backbone.init_cfg, f'{prefix_of(name)}resnet50_in1k'
    assert classifier in CONFIGS and f'configs/ra_net/{classifier}.py' in docstring(name)[2]
    last = read(classifier).train_cfg.max_epochs
    assert init == dict(type='Pretrained', checkpoint=f'work_dirs/{classifier}/epoch_{last}.pth', prefix='backbone.')


@no_detectors
@pytest.mark.parametrize('name', sorted(DETECTORS))
def test_detectors_are_mmdetections_1x(name):
    cfg = read(name)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg.model)
    assert attention_of(model) == ({prefix_of(name): 16} if prefix_of(name) else {})
    assert model.roi_head.with_mask == name.startswith('mask') and model.backbone.frozen_stages == 1
    assert not any(parameter.requires_grad for parameter in model.backbone.layer1.parameters())
    assert cfg.train_cfg.max_epochs == 12 and cfg.param_scheduler[1].milestones == [8, 11]
    assert cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == 16
    assert cfg.val_evaluator.metric == (['bbox', 'segm'] if name.startswith('mask') else 'bbox')
    assert 'train2017' in cfg.train_dataloader.dataset.ann_file and 'val2017' in cfg.val_evaluator.ann_file


@pytest.mark.parametrize('name', sorted(SEGMENTORS))
def test_upernets_are_mmsegmentations_80k(name):
    cfg = read(name)
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = MODELS.build(cfg.model)
    assert attention_of(model) == ({prefix_of(name): 16} if prefix_of(name) else {})
    assert model.num_classes == steps(name)['mmrev.CheckLabels'].num_classes == 150
    assert cfg.train_cfg.max_iters == cfg.param_scheduler[0].end == 80000
    assert cfg.train_dataloader.batch_size == 16
    assert steps(name)['RandomCrop'].crop_size == cfg.model.data_preprocessor.size == (512, 512)
    order = [step.type for step in cfg.train_dataloader.dataset.pipeline]
    assert cfg.train_dataloader.dataset.pipeline[1].reduce_zero_label and order.index('mmrev.CheckLabels') == 2
