import copy
import json
from pathlib import Path

import mmdet
import mmpretrain
import mmseg
import pytest
import torch
from mmengine import Config

from mmrev.errors import ConfigError
from mmrev.testing import quick_config, run_quick


def shipped(host, path):
    return Config.fromfile(Path(host.__file__).parent / '.mim' / 'configs' / path)


def leaves(node, path=()):
    """Maps the path of each scalar in a config to its value. A list of scalars counts as one scalar."""
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, (list, tuple)) else ()
    if not parts or isinstance(node, (list, tuple)) and not any(isinstance(part, (dict, list, tuple)) for part in node):
        return {path: tuple(node) if isinstance(node, (list, tuple)) else node}
    return {key: value for name, part in parts for key, value in leaves(part, (*path, name)).items()}


def find(node, key):
    return [value for path, value in leaves(node).items() if path[-1] == key]


SHIPPED = {
    'fcn/fcn_r50-d8_4xb2-40k_cityscapes-512x1024.py': {'size': (64, 128)},
    'deeplabv3/deeplabv3_r50-d8_4xb4-160k_ade20k-512x512.py': {'size': (64, 64)},
    'deeplabv3/deeplabv3_r50-d8_4xb2-80k_cityscapes-769x769.py': {
        'size': (65, 65),
        'crop_size': (65, 65),
        'stride': (43, 43),
    },
    'pspnet/pspnet_r50-d8_4xb4-20k_voc12aug-512x512.py': {'size': (64, 64)},
    'setr/setr_vit-l_pup_8xb1-80k_cityscapes-768x768.py': {'size': (64, 64), 'crop_size': (64, 64), 'stride': (42, 42)},
    'convnext/convnext-tiny_upernet_8xb2-amp-160k_ade20k-512x512.py': {
        'size': (64, 64),
        'crop_size': (64, 64),
        'stride': (42, 42),
    },
}


@pytest.mark.parametrize('path', SHIPPED)
def test_the_model_changes_in_nothing_else(path, tmp_path):
    cfg = shipped(mmseg, path)
    before, original = leaves(cfg.model), copy.deepcopy(cfg)
    quick = quick_config(cfg, tmp_path)
    after = leaves(quick.model)
    lost = before.keys() - after.keys()
    assert lost and all(
        'pretrained' in where or before[(*where[: where.index('init_cfg') + 1], 'type')] == 'Pretrained'
        for where in lost
    )
    assert not after.keys() - before.keys() and 'Pretrained' not in after.values()
    changed = {where for where, value in after.items() if value != before[where]}
    norms = {where for where in changed if where[-1] == 'type'}
    assert all((before[where], after[where]) == ('SyncBN', 'BN') for where in norms)
    assert {where[-1]: after[where] for where in changed - norms} == SHIPPED[path]
    assert quick.optim_wrapper.optimizer == cfg.optim_wrapper.optimizer
    assert cfg.to_dict() == original.to_dict()


@pytest.mark.parametrize('path', SHIPPED)
def test_crops_fit_the_preprocessor_and_data_is_local(path, tmp_path):
    quick = quick_config(shipped(mmseg, path), tmp_path)
    (crop,) = set(find(quick.train_dataloader, 'crop_size'))
    assert crop == quick.model.data_preprocessor.size
    for split, batch_size in (('train', 2), ('val', 1), ('test', 1)):
        loader = quick[f'{split}_dataloader']
        assert (loader.batch_size, loader.num_workers, loader.persistent_workers) == (batch_size, 0, False)
        roots = find(loader.dataset, 'data_root')
        assert roots and all(root.startswith(str(tmp_path)) for root in roots)
    assert quick.load_from is None and quick.default_hooks.checkpoint.interval == 2
    assert {**quick.train_cfg} == dict(type='IterBasedTrainLoop', max_iters=2, val_interval=2)
    if not torch.cuda.is_available():
        assert quick.optim_wrapper.type == 'OptimWrapper' and 'loss_scale' not in quick.optim_wrapper


def sized(size, **extra):
    """Makes a config with two parts that are one object, as in a config file."""
    nested = [
        dict(
            type='RandomChoice',
            transforms=[
                [dict(type='Resize', scale=(2 * size, size))],
                [dict(type='RandomResizedCrop', scale=size, ratio=(0.5, 1))],
            ],
        ),
        dict(type='Pad', size=(size, size), pad_val=dict(img=0, seg=255)),
    ]
    data = dict(
        batch_size=16,
        num_workers=4,
        prefetch_factor=2,
        dataset=dict(type='ImageNet', data_root='data/imagenet', split='train', pipeline=nested),
    )
    tta = [dict(type='TestTimeAug', transforms=[[dict(type='Resize', scale=(2 * size, 2 * size))]])]
    model = dict(
        type='X',
        data_preprocessor=dict(size=(size, size)),
        neck=dict(size=size),
        test_cfg=dict(mode='slide', crop_size=size // 2, stride=size // 4),
        parts=[
            dict(
                pretrained=True,
                init_cfg=[dict(type='Pretrained', checkpoint='https://nowhere'), dict(type='Constant', val=0)],
            )
        ],
    )
    return Config(
        dict(
            model=model,
            train_dataloader=data,
            train_pipeline=nested,
            tta_pipeline=tta,
            optim_wrapper={},
            train_cfg=dict(by_epoch=True, max_epochs=100, val_begin=50),
            **extra,
        )
    )


def test_nested_sizes_shrink_once_by_one_factor(tmp_path):
    quick = quick_config(sized(512), tmp_path)
    for pipeline in (quick.train_pipeline, quick.train_dataloader.dataset.pipeline):
        assert find(pipeline, 'scale') == [(128, 64), 64] and find(pipeline, 'size') == [(64, 64)]
        assert find(pipeline, 'ratio') == [(0.5, 1)]
    assert find(quick.tta_pipeline, 'scale') == [(128, 128)]
    assert {**quick.model.test_cfg} == dict(mode='slide', crop_size=32, stride=16)
    assert quick.model.neck.size == 512
    assert {**quick.model.parts[0]} == dict(init_cfg=[dict(type='Constant', val=0)])
    assert 'prefetch_factor' not in quick.train_dataloader
    assert {**quick.train_cfg} == dict(by_epoch=True, max_epochs=1, val_interval=1)


def test_small_inputs_stay(tmp_path):
    quick = quick_config(sized(224), tmp_path)
    assert find(quick.train_pipeline, 'scale') == [(448, 224), 224]


def test_detection_metrics_read_the_tiny_annotations(tmp_path):
    quick = quick_config(shipped(mmdet, 'mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py'), tmp_path)
    annotations = Path(quick.val_evaluator.ann_file)
    assert annotations.name == 'instances_val2017.json' and len(json.loads(annotations.read_text())['images']) == 2
    assert find(quick.train_dataloader, 'scale') == [(117, 64)]  # (1333, 800)


def test_a_config_that_trains_nothing_is_refused(tmp_path):
    with pytest.raises(ConfigError, match='train_cfg'):
        quick_config(Config(dict(model={}, test_dataloader={})), tmp_path)


def test_a_segmentor_whose_data_names_no_classes_is_refused(tmp_path):
    cfg = shipped(mmseg, 'fcn/fcn_r18-d8_4xb2-80k_cityscapes-512x1024.py')
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.type = 'BaseSegDataset'
    with pytest.raises(ConfigError, match=r'BaseSegDataset names no classes, .* metainfo=dict\(classes='):
        quick_config(cfg, tmp_path)


def test_a_segmentor_trains_and_is_tested_from_its_checkpoint(tmp_path):
    cfg = shipped(mmseg, 'fcn/fcn_r18-d8_4xb2-80k_cityscapes-512x1024.py')
    metrics = run_quick(quick_config(cfg, tmp_path / 'data'), tmp_path / 'work')
    scalars = [json.loads(line) for path in (tmp_path / 'work').rglob('scalars.json') for line in path.open()]
    assert [line['iter'] for line in scalars if 'loss' in line] == [1, 2]
    (validated,) = (line for line in scalars if 'mIoU' in line)
    assert metrics['mIoU'] == pytest.approx(validated['mIoU']) and metrics['aAcc'] > 0
    assert [path.name for path in (tmp_path / 'work').glob('*.pth')] == ['iter_2.pth']


def test_a_classifier_trains_with_a_late_schedule(tmp_path):
    cfg = shipped(mmpretrain, 'resnet/resnet18_8xb32_in1k.py')
    cfg.param_scheduler = [
        dict(type='LinearLR', start_factor=0.25, by_epoch=True, end=5, convert_to_iter_based=True),
        dict(type='CosineAnnealingLR', by_epoch=True, begin=5),
    ]
    metrics = run_quick(quick_config(cfg, tmp_path / 'data'), tmp_path / 'work')
    scalars = [json.loads(line) for path in (tmp_path / 'work').rglob('scalars.json') for line in path.open()]
    assert len([line for line in scalars if 'loss' in line]) == 2
    assert metrics.keys() == {'accuracy/top1', 'accuracy/top5'}
    assert [path.name for path in (tmp_path / 'work').glob('*.pth')] == ['epoch_1.pth']


def test_classes_that_the_made_up_labels_miss_are_not_said(tmp_path):
    cfg = shipped(mmseg, 'fcn/fcn_r50-d8_4xb2-40k_cityscapes-512x1024.py')
    cfg.custom_hooks = [dict(type='mmrev.LabelCheckHook'), dict(type='mmrev.FiniteLossHook')]
    assert quick_config(cfg, tmp_path).custom_hooks == [dict(type='mmrev.FiniteLossHook')]
    assert len(cfg.custom_hooks) == 2
