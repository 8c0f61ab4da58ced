"""The text of a detection config: mmdetection's Faster R-CNN, with its own data set."""

from .config_text import NAMES, Choices, Text, as_text, class_lines, commands_for, fill, head, interval
from .detection import WrittenBoxes
from .methods import BACKBONES, DETECTORS, backbone_line
from .request import Request

LEAST_EPOCHS = 12  # mmdetection's 1x schedule


def detection_text(choices: Choices, data: WrittenBoxes, request: Request) -> Text:
    """Writes the config of a Faster R-CNN."""
    epochs = max(LEAST_EPOCHS, -(-choices.iters * choices.batch_size // data.counts['train']))
    commands = commands_for(request, f'epoch_{epochs}.pth', request.images)
    title = f'{DETECTORS[choices.method]} with {NAMES[choices.backbone]}, {len(data.classes)} classes'
    lines = [
        *head(title, data.counts, commands),
        "_base_ = ['mmdet::_base_/models/faster-rcnn_r50_fpn.py', 'mmdet::_base_/schedules/schedule_1x.py',",
        "          str(__import__('mmrev').find_config('_base_/runtime_mmdet'))]",
        *class_lines(data.classes, data.palette, data.classes_file),
        f"data = dict(type='CocoDataset', metainfo=metainfo, data_prefix=dict(img={as_text(data.images) + '/'!r}))",
        *_model(choices, len(data.classes)),
        f"resize = dict(type='Resize', scale=({choices.size * 5 // 3}, {choices.size}), keep_ratio=True)",
        "image, boxes = dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', with_bbox=True)",
        "train_pipeline = [image, boxes, resize, dict(type='RandomFlip', prob=0.5), dict(type='PackDetInputs')]",
        'test_pipeline = [image, resize, boxes, dict(',
        "    type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'))]",
        *_train_loader(choices, as_text(data.files['train'])),
        *_test_loader('val', as_text(data.files['val'])),
        *(
            _test_loader('test', as_text(data.files['test']))
            if 'test' in data.files
            else ['test_dataloader, test_evaluator = val_dataloader, val_evaluator']
        ),
        f'max_epochs = {epochs}',
        "param_scheduler = [dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=100),",
        "    dict(type='MultiStepLR', milestones=[max_epochs * 2 // 3, max_epochs * 11 // 12], gamma=0.1)]",
        f'train_cfg = dict(max_epochs=max_epochs, val_interval={interval(epochs, "max_epochs", 20)})',
        f'optim_wrapper = dict(optimizer=dict(lr={0.02 * choices.batch_size / 16:g}))',
    ]
    return Text('\n'.join(lines) + '\n', *commands)


def _model(choices: Choices, num_classes: int) -> list[str]:
    backbone = BACKBONES[choices.backbone]
    options = [
        backbone_line(choices.method, backbone, choices.weights, choices.prefix),
        f'neck=dict(in_channels={list(backbone.channels)})',
        f'roi_head=dict(bbox_head=dict(num_classes={num_classes}))',
    ]
    return fill('model = dict(', options)


def _train_loader(choices: Choices, file: str) -> list[str]:
    options = ['**data', f'ann_file={file!r}', 'filter_cfg=dict(filter_empty_gt=True)', 'pipeline=train_pipeline']
    return [
        f'train_dataloader = dict(batch_size={choices.batch_size}, num_workers=2,',
        "    sampler=dict(type='DefaultSampler', shuffle=True), batch_sampler=dict(type='AspectRatioBatchSampler'),",
        *fill('    dataset=dict(', options, '))'),
    ]


def _test_loader(split: str, file: str) -> list[str]:
    options = ['**data', f'ann_file={file!r}', 'test_mode=True', 'pipeline=test_pipeline']
    return [
        f"{split}_dataloader = dict(batch_size=1, num_workers=2, sampler=dict(type='DefaultSampler', shuffle=False),",
        *fill('    dataset=dict(', options, '))'),
        f"{split}_evaluator = dict(type='CocoMetric', metric='bbox', ann_file={file!r})",
    ]
