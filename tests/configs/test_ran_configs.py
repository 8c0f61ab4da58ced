"""RAN's configs: each is the row that its name says it is, and is built and optimised as the paper has it."""

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmseg.registry import DATASETS, MODELS
from reading_configs import datasets, names_in, plain, read, steps

ABLATIONS = ('dil0_pcontext', 'lfov_pcontext', 'lfov_aug_pcontext', 'pcontext', 'crf_pcontext')
ROWS = {
    *(f'{method}_r101_{row}' for method in ('deeplabv2', 'ran_dual', 'ran_s', 'ran_n') for row in ABLATIONS),
    *(f'deeplabv2_aspp_r101_{data}' for data in ('pcontext', 'voc12aug', 'nyudv2', 'ade20k')),
    *(
        f'{method}_r101_{data}'
        for method in ('deeplabv2', 'ran_s', 'ran_n')
        for data in ('personpart', 'voc12aug', 'nyudv2', 'ade20k')
    ),
    'deeplabv2_r18_camvid',
    'ran_n_r18_camvid',
}
HEADS = {
    'deeplabv2_aspp': ('mmrev.ASPPV2Head', None),
    'deeplabv2': ('mmrev.LargeFOVHead', None),
    'deeplabv2_continued': ('mmrev.LargeFOVHead', None),
    'ran_s': ('mmrev.ReverseAttentionHead', 'simple'),
    'ran_n': ('mmrev.ReverseAttentionHead', 'normalized'),
    'ran_dual': ('mmrev.ReverseAttentionHead', 'dual'),
}
DATA = {
    'pcontext': ('PascalContextDataset59', 59),
    'personpart': ('mmrev.PascalPersonPartDataset', 7),
    'voc12aug': ('PascalVOCDataset', 21),
    'nyudv2': ('mmrev.NYUDv2Dataset', 40),
    'ade20k': ('ADE20KDataset', 150),
    'camvid': ('mmrev.CamVidDataset', 11),
    'scenes': ('mmrev.DigitScenesDataset', 11),
}
CONFIGS = [*names_in('ran'), *names_in('demo')]
every_config = pytest.mark.parametrize('name', CONFIGS)
every_row = pytest.mark.parametrize('name', sorted(ROWS))
every_crf_row = pytest.mark.parametrize('name', [name for name in sorted(ROWS) if '_crf_' in name])


def method_of(name):
    return name.partition('_r101')[0].partition('_r18')[0].partition('_digit')[0]


def test_every_row_of_the_paper_has_a_config():
    assert set(names_in('ran')) == ROWS
    assert len(ROWS) == 38


@every_config
def test_the_model_is_built(name):
    cfg = read(name)
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    assert model.backbone.depth == (101 if '_r101_' in name else 18)
    assert model.num_classes == cfg.num_classes
    assert model.decode_head.in_channels == model.backbone.feat_dim


@every_config
def test_the_head_is_that_of_the_method(name):
    head = read(name).model.decode_head
    assert (head.type, head.get('mode')) == HEADS[method_of(name)]


@every_config
def test_the_classes_are_those_of_the_data_set(name):
    kind, classes = DATA[name.rpartition('_')[2]]
    for split in ('train', 'val', 'test'):
        assert {dataset.type for dataset in datasets(name, split)} == {kind}
    assert len(DATASETS.get(kind).METAINFO['classes']) == classes
    assert read(name).model.decode_head.num_classes == steps(name)['mmrev.CheckLabels'].num_classes == classes


@every_row
def test_the_variant_is_what_its_name_says(name):
    model, pipeline = read(name).model, steps(name)
    one_scale = '_dil0_' in name or '_lfov_' in name
    assert model.scales == ((1.0,) if one_scale else (1.0, 0.75, 0.5)) and model.fusion == 'max'
    plain_classifier = '_dil0_' in name or name.endswith('_personpart')
    assert model.decode_head.get('dilation', 12) == (1 if plain_classifier else 12)
    unaugmented = one_scale and '_aug_' not in name
    assert ({'RandomChoice', 'RandomFlip'} & {*pipeline}) == (set() if unaugmented else {'RandomChoice', 'RandomFlip'})
    if not unaugmented:
        factors = [resize.scale_factor for [resize] in pipeline['RandomChoice'].transforms]
        assert factors == [0.5, 0.75, 1.0, 1.25, 1.5]
    assert ('crf' in model.test_cfg) == ('_crf_' in name)


@every_config
def test_crop_size_and_length_have_one_value_each(name):
    cfg = read(name)
    sizes = [
        step.crop_size for dataset in datasets(name, 'train') for step in dataset.pipeline if step.type == 'RandomCrop'
    ]
    assert len(sizes) == (0 if 'scenes' in name else len(datasets(name, 'train')))
    assert all(size == cfg.model.data_preprocessor.size for size in [*sizes, cfg.crop_size])
    length = cfg.train_cfg.max_iters
    # the demo's one-cycle schedule has its length under another name
    assert [scheduler.get('end', scheduler.get('total_steps')) for scheduler in cfg.param_scheduler] == [length]
    assert length % cfg.train_cfg.val_interval == length % cfg.default_hooks.checkpoint.interval == 0


@every_crf_row
def test_the_crf_is_a_step_of_testing(name):
    cfg, without = plain(name), plain(name.replace('_crf_', '_'))
    assert cfg['model']['test_cfg'].pop('crf')['iterations'] == 10
    assert cfg['model'] == without['model'] and cfg['test_dataloader'] == without['test_dataloader']


@pytest.mark.parametrize(
    'name', [name for name in CONFIGS if not method_of(name).startswith('deeplabv2') or 'aspp' in name]
)
def test_only_the_head_differs_from_the_baseline(name):
    # the demo continues RAN and its baseline from one network
    baseline_of = 'deeplabv2_continued' if 'scenes' in name else 'deeplabv2'
    cfg, baseline = plain(name), plain(name.replace(method_of(name), baseline_of))
    for part in (cfg, baseline):
        for key in ('type', 'mode'):
            part['model']['decode_head'].pop(key, None)
        if 'scenes' in name:
            assert part.pop('load_from')  # the same weights, with and without the reverse branch
    assert cfg == baseline


@pytest.mark.parametrize(
    'name', ['deeplabv2_aspp_r101_pcontext', 'deeplabv2_r101_pcontext', 'ran_s_r101_pcontext', 'ran_n_r18_camvid']
)
def test_classifiers_learn_ten_times_faster_and_their_biases_twenty_times(name):
    cfg = plain(name)
    cfg['model'].update(
        backbone=dict(type='ResNet', depth=18, base_channels=4, out_indices=(0, 1, 2, 3)),
        decode_head=dict(cfg['model']['decode_head'], in_channels=32, in_index=3),
    )
    model = MODELS.build(Config(cfg).model)
    optimizer = build_optim_wrapper(model, Config(cfg).optim_wrapper).optimizer
    names = {parameter: name for name, parameter in model.named_parameters()}
    groups = {names[parameter]: group for group in optimizer.param_groups for parameter in group['params']}
    assert groups.keys() == {*names.values()}
    base, decay = cfg['optim_wrapper']['optimizer']['lr'], cfg['optim_wrapper']['optimizer']['weight_decay']
    for name, group in groups.items():
        head, bias = name.startswith('decode_head.'), name.endswith('.bias')
        assert group['lr'] == pytest.approx(base * (20 if head and bias else 10 if head else 1)), name
        assert group['weight_decay'] == (0 if head and bias else decay), name
