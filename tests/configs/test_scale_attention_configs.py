"""Scale attention's configs: each is the row that its name says, built and optimised as the paper has it."""

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmseg.registry import DATASETS, MODELS
from reading_configs import datasets, docstring, names_in, plain, read, steps

# table 2's columns: multi-stage, diverse dilations, location attention, extra branch
MODULES = {
    'attention_to_scale': (False, False, True, None),
    'scale_attention_multi_stage': (True, False, True, None),
    'scale_attention_no_recalibration': (True, True, True, None),
    'scale_attention': (True, True, True, 'multiply'),
    'scale_attention_psp': (True, True, True, 'multiply'),
    'scale_attention_bias': (True, True, True, 'add'),
}
ROWS = {
    *(
        f'{row}_voc12aug'
        for row in (
            'deeplab_lfov_vgg16',
            'max_fusion_vgg16',
            'avg_fusion_vgg16',
            'attention_to_scale_vgg16',
            'scale_attention_vgg16',
            'scale_attention_vgg16_multi_stage',
            'scale_attention_vgg16_no_recalibration',
            'scale_attention_vgg16_bias',
        )
    ),
    *(f'{row}r34d8_ade20k' for row in ('', 'psp_', 'attention_to_scale_', 'scale_attention_', 'scale_attention_psp_')),
    'deeplab_lfov_vgg16_camvid',
    'scale_attention_vgg16_camvid',
}
DATA = {'voc12aug': ('PascalVOCDataset', 21), 'ade20k': ('ADE20KDataset', 150), 'camvid': ('mmrev.CamVidDataset', 11)}
PRINTED = {
    'deeplab_lfov_vgg16_voc12aug': '61.40',
    'max_fusion_vgg16_voc12aug': '63.88',
    'avg_fusion_vgg16_voc12aug': '64.07',
    'attention_to_scale_vgg16_voc12aug': '64.74',
    'scale_attention_vgg16_voc12aug': '67.98',
    'scale_attention_vgg16_multi_stage_voc12aug': '65.80',
    'scale_attention_vgg16_no_recalibration_voc12aug': '66.83',
    'r34d8_ade20k': '32.67, aAcc 76.41',
    'attention_to_scale_r34d8_ade20k': '35.11, aAcc 76.82',
    'psp_r34d8_ade20k': '36.43, aAcc 78.01',
    'scale_attention_r34d8_ade20k': '37.07, aAcc 78.57',
    'scale_attention_psp_r34d8_ade20k': '38.21, aAcc 79.29',
}
every_row = pytest.mark.parametrize('name', sorted(ROWS))


def row_of(name):
    """The row of the paper, without backbone and data set."""
    return '_'.join(part for part in name.split('_') if part not in ('vgg16', 'r34d8', *DATA))


def test_every_row_of_the_paper_has_a_config():
    assert set(names_in('scale_attention')) == ROWS
    assert len(ROWS) == 13 + 2


@every_row
def test_the_model_is_built(name):
    cfg = read(name)
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
        maps = model.backbone.to('meta')(torch.empty(2, 3, 64, 64))
    kind, classes = DATA[name.rpartition('_')[2]]
    assert model.decode_head.num_classes == cfg.num_classes == classes
    assert model.decode_head.in_channels == maps[-1].shape[1] and maps[-1].shape[2:] == (8, 8)
    if model.attends:
        assert model.fusion.num_classes == classes and maps[0].shape[2:] == (16, 16)
        assert cfg.model.fusion.in_channels == [m.shape[1] for m in maps]
    assert {dataset.type for split in ('train', 'val', 'test') for dataset in datasets(name, split)} == {kind}
    assert len(DATASETS.get(kind).METAINFO['classes']) == steps(name)['mmrev.CheckLabels'].num_classes == classes


@every_row
def test_the_variant_is_what_its_name_says(name):
    model, row = read(name).model, row_of(name)
    fusion = model.get('fusion', 'max')
    one_scale = row in ('deeplab_lfov', '', 'psp')
    assert model.scales == ((1.0,) if one_scale else (1.0, 0.5))
    if row in MODULES:
        assert fusion.type == 'mmrev.ScaleAttentionHead' and fusion.dilations == (12, 2)
        got = (
            fusion.get('multi_stage', True),
            fusion.get('diverse_dilations', True),
            fusion.get('location_attention', True),
            fusion.get('recalibration', 'multiply'),
        )
        assert got == MODULES[row]
        assert fusion.get('conv_per_scale', True) == (row != 'attention_to_scale')
    else:
        assert fusion == {'avg_fusion': 'avg'}.get(row, 'max')
    # section 3.1: "both of attention-to-scale and our work adopt extra supervision"
    assert model.get('extra_supervision', True) == (row not in ('max_fusion', 'avg_fusion'))
    assert model.decode_head.type == ('PSPHead' if 'psp' in row else 'FCNHead')
    assert 'auxiliary_head' not in model


@every_row
def test_the_decoder_learns_ten_times_as_fast(name):
    cfg = read(name)
    with torch.device('meta'):
        model = MODELS.build(cfg.model)
    optimizer = build_optim_wrapper(model, cfg.optim_wrapper).optimizer
    rates = {parameter: group['lr'] for group in optimizer.param_groups for parameter in group['params']}
    base = cfg.optim_wrapper.optimizer.lr
    factors = {
        part: {rates[p] / base for p in getattr(model, part).parameters()}
        for part in ('backbone', 'decode_head', 'fusion')
        if part != 'fusion' or model.attends
    }
    assert factors['backbone'] == {1} and factors['decode_head'] == {10}
    assert factors.get('fusion') in (None, {1} if '_vgg16_' in name else {10})
    assert cfg.param_scheduler[0].power == 0.9


@every_row
def test_the_solver_and_where_it_starts(name):
    cfg, voc = read(name), 'r34d8' not in name
    solver = cfg.optim_wrapper.optimizer
    assert (solver.type, solver.lr, solver.momentum, solver.weight_decay) == (
        ('SGD', 1e-3, 0.9, 5e-4) if voc else ('SGD', 2e-3, 0.9, 1e-4)
    )
    assert cfg.train_cfg.max_iters == {'voc12aug': 20000, 'ade20k': 80000, 'camvid': 4000}[name.rpartition('_')[2]]
    assert cfg.train_dataloader.batch_size == (10 if voc else 16)
    assert cfg.model.backbone.init_cfg.checkpoint == f'torchvision://{"vgg16" if voc else "resnet34"}'
    head = cfg.model.decode_head
    assert (head.channels, head.dropout_ratio) == ((1024, 0) if voc else (512, 0.1) if 'psp' in name else (128, 0))
    if 'norm_cfg' in cfg:
        assert cfg.norm_cfg == head.norm_cfg == cfg.model.get('fusion', head).norm_cfg == cfg.model.backbone.norm_cfg


@every_row
def test_crop_size_and_length_have_one_value_each(name):
    cfg = read(name)
    crops = {
        step.crop_size for dataset in datasets(name, 'train') for step in dataset.pipeline if step.type == 'RandomCrop'
    }
    assert crops == {cfg.crop_size} == {cfg.model.data_preprocessor.size}
    length = cfg.train_cfg.max_iters
    assert [scheduler.end for scheduler in cfg.param_scheduler] == [length]
    assert length % cfg.train_cfg.val_interval == length % cfg.default_hooks.checkpoint.interval == 0


@pytest.mark.parametrize('name', sorted(ROWS - {'deeplab_lfov_vgg16_voc12aug', 'r34d8_ade20k'}))
def test_only_the_fusion_differs_from_the_baseline(name):
    baseline = {
        'voc12aug': 'deeplab_lfov_vgg16_voc12aug',
        'camvid': 'deeplab_lfov_vgg16_camvid',
        'ade20k': 'psp_r34d8_ade20k' if name.startswith('scale_attention_psp') else 'r34d8_ade20k',
    }
    ours, theirs = plain(name), plain(baseline[name.rpartition('_')[2]])
    for cfg in (ours, theirs):
        for key in ('scales', 'fusion', 'extra_supervision'):
            cfg['model'].pop(key, None)
    if name == 'psp_r34d8_ade20k':
        assert ours['model'].pop('decode_head') != theirs['model'].pop('decode_head')
    assert ours == theirs


@pytest.mark.parametrize('name', sorted(PRINTED))
def test_the_printed_figure_is_in_the_docstring(name):
    assert f'Paper: mIoU {PRINTED[name]} (table' in docstring(name)[2]
