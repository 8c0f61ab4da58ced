"""The text of a new config, in the hosts' own style: a difference to base configs, with the data and the pipelines."""

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .detection import WrittenBoxes
from .methods import BACKBONES, DETECTORS, METHODS, backbone_line, model_lines
from .request import Request
from .segmentation import Part, Written

WIDTH = 119
NAMES = {'r18': 'ResNet-18', 'r50': 'ResNet-50', 'r101': 'ResNet-101'}


@dataclass(frozen=True)
class Choices:
    """What the user chose of the model and the training.

    Args:
        method: One of ``METHODS``.
        backbone: One of ``BACKBONES``.
        size: The short side of the images, and the side of the crops.
        iters: The iterations of the training.
        batch_size: The images of a step.
        weights: Those of the backbone; None for random ones.
        prefix: That of the backbone's keys in the weights.
    """

    method: str
    backbone: str
    size: int
    iters: int
    batch_size: int
    weights: str | None
    prefix: str | None


@dataclass(frozen=True)
class Text:
    """A config and the commands that use it."""

    config: str
    train: str
    predict: str


def segmentation_text(choices: Choices, data: Written, request: Request) -> Text:
    """Writes the config of a segmentation model."""
    backbone = BACKBONES[choices.backbone]
    model = [
        'data_preprocessor=dict(size=crop_size)',
        backbone_line(choices.method, backbone, choices.weights, choices.prefix),
        *model_lines(choices.method, backbone, len(data.classes)),
    ]
    root = _common_root(data.parts.values())
    boundary = ["dict(type='mmrev.BoundaryLabels')"] if choices.method == 'ranet' else []
    test = data.parts.get('test', data.parts['val'])
    commands = _commands(request, f'iter_{choices.iters}.pth', test.images)
    title = f'{METHODS[choices.method]} with {NAMES[choices.backbone]}, {len(data.classes)} classes'
    lines = [
        *_head(title, {split: part.count for split, part in data.parts.items()}, commands),
        "_base_ = str(__import__('mmrev').find_config('_base_/own_data'))",
        *_classes(data.classes, data.palette, data.classes_file),
        *_call(
            'data = dict(',
            [
                "type='BaseSegDataset'",
                *([f'data_root={_path(root)!r}'] if root else []),
                'metainfo=metainfo',
                f'img_suffix={data.suffixes[0]!r}',
                f'seg_map_suffix={data.suffixes[1]!r}',
                *(['reduce_zero_label=True'] if data.off_by_one else []),
                *_shared(data.parts, root),
            ],
        ),
        f'crop_size, scale = ({choices.size}, {choices.size}), ({4 * choices.size}, {choices.size})',
        *_call('model = dict(', model),
        *_call(
            'train_pipeline = [',
            [
                *_steps('LoadImageFromFile', 'LoadAnnotations'),
                "dict(type='RandomResize', scale=scale, ratio_range=(0.5, 2.0), keep_ratio=True)",
                "dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75)",
                "dict(type='RandomFlip', prob=0.5)",
                *_steps('PhotoMetricDistortion'),
                *boundary,
                *_steps('PackSegInputs'),
            ],
            ']',
        ),
        *_call(
            'test_pipeline = [',
            [
                *_steps('LoadImageFromFile'),
                "dict(type='Resize', scale=scale, keep_ratio=True)",
                *_steps('LoadAnnotations', 'PackSegInputs'),
            ],
            ']',
        ),
        *_call(
            f'train_dataloader = dict(batch_size={choices.batch_size}, dataset=dict(',
            _own(data.parts, 'train', root),
            '))',
        ),
        *_call('val_dataloader = dict(dataset=dict(', _own(data.parts, 'val', root), '))'),
        *(
            _call('test_dataloader = dict(dataset=dict(', _own(data.parts, 'test', root), '))')
            if 'test' in data.parts
            else ['test_dataloader = val_dataloader']
        ),
        f'max_iters = {choices.iters}',
        "param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0, begin=0, end=max_iters, by_epoch=False)]",
        f'train_cfg = dict(max_iters=max_iters, val_interval={_interval(choices.iters)})',
    ]
    return Text('\n'.join(lines) + '\n', *commands)


def detection_text(choices: Choices, data: WrittenBoxes, request: Request) -> Text:
    """Writes the config of a Faster R-CNN."""
    backbone = BACKBONES[choices.backbone]
    epochs = max(12, -(-choices.iters * choices.batch_size // data.counts['train']))
    commands = _commands(request, f'epoch_{epochs}.pth', request.images)
    neck = [f'neck=dict(in_channels={list(backbone.channels)})'] if choices.backbone == 'r18' else []
    files = {split: f'ann_file={_path(path)!r}' for split, path in data.files.items()}
    lines = [
        *_head(
            f'{DETECTORS[choices.method]} with {NAMES[choices.backbone]}, {len(data.classes)} classes',
            data.counts,
            commands,
        ),
        "_base_ = ['mmdet::_base_/models/faster-rcnn_r50_fpn.py', 'mmdet::_base_/schedules/schedule_1x.py',",
        "          str(__import__('mmrev').find_config('_base_/runtime_mmdet'))]",
        *_classes(data.classes, data.palette, data.classes_file),
        f"data = dict(type='CocoDataset', metainfo=metainfo, data_prefix=dict(img={_path(data.images) + '/'!r}))",
        *_call(
            'model = dict(',
            [
                backbone_line(choices.method, backbone, choices.weights, choices.prefix),
                *neck,
                f'roi_head=dict(bbox_head=dict(num_classes={len(data.classes)}))',
            ],
        ),
        f"resize = dict(type='Resize', scale=({choices.size * 5 // 3}, {choices.size}), keep_ratio=True)",
        "image, boxes = dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', with_bbox=True)",
        "train_pipeline = [image, boxes, resize, dict(type='RandomFlip', prob=0.5), dict(type='PackDetInputs')]",
        'test_pipeline = [image, resize, boxes, dict(',
        "    type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'))]",
        f'train_dataloader = dict(batch_size={choices.batch_size}, num_workers=2,',
        "    sampler=dict(type='DefaultSampler', shuffle=True), batch_sampler=dict(type='AspectRatioBatchSampler'),",
        *_call(
            '    dataset=dict(',
            ['**data', files['train'], 'filter_cfg=dict(filter_empty_gt=True)', 'pipeline=train_pipeline'],
            '))',
        ),
        *_detection_test('val', files['val'], data.files['val']),
        *(
            _detection_test('test', files['test'], data.files['test'])
            if 'test' in files
            else ['test_dataloader, test_evaluator = val_dataloader, val_evaluator']
        ),
        f'max_epochs = {epochs}',
        "param_scheduler = [dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=100),",
        "    dict(type='MultiStepLR', milestones=[max_epochs * 2 // 3, max_epochs * 11 // 12], gamma=0.1)]",
        f'train_cfg = dict(max_epochs=max_epochs, val_interval={_interval(epochs, "max_epochs", 20)})',
        f'optim_wrapper = dict(optimizer=dict(lr={0.02 * choices.batch_size / 16:g}))',
    ]
    return Text('\n'.join(lines) + '\n', *commands)


def _head(title: str, counts: Mapping[str, int], commands: Sequence[str]) -> list[str]:
    numbers = ', '.join(f'{count} {split}' for split, count in counts.items())
    escaped = [command.replace('\\', '\\\\').replace('"""', "'''") for command in commands]
    return [f'"""{title}: {numbers} images.', '', *(f'    {command}' for command in escaped), '"""']


def _commands(request: Request, checkpoint: str, images: Path) -> tuple[str, str]:
    config = shlex.quote(_path(request.out))
    weights = shlex.quote(f'work_dirs/{request.out.stem}/{checkpoint}')
    return f'mmrev train {config}', f'mmrev predict {config} {weights} {shlex.quote(_path(images))}'


def _classes(classes: Sequence[str], palette: Sequence[Sequence[int]], file: Path | None) -> list[str]:
    if file:
        return ['import json', f"metainfo = json.load(open({_path(file)!r}, encoding='utf-8'))"]
    return [
        *_call('metainfo = dict(classes=[', list(map(repr, classes)), '],'),
        *_call('    palette=[', [str(list(color)) for color in palette], '])'),
    ]


def _common_root(parts: Iterable[Part]) -> Path | None:
    """Returns the folder that all paths lie in, if they have one."""
    paths = [path for part in parts for path in (part.images, part.masks, part.list_file) if path]
    if len({path.is_absolute() for path in paths}) > 1:
        return None
    root = Path(os.path.commonpath([path.parent if path.suffix else path for path in paths]))
    return None if root in (Path(), Path(root.anchor)) or '..' in root.parts else root


def _shared(parts: Mapping[str, Part], root: Path | None) -> list[str]:
    """Returns the folders, if all splits have the same."""
    folders = {(part.images, part.masks) for part in parts.values()}
    return [_prefix(*folders.pop(), root)] if len(folders) == 1 else []


def _own(parts: Mapping[str, Part], split: str, root: Path | None) -> list[str]:
    part = parts[split]
    folders = [] if _shared(parts, root) else [_prefix(part.images, part.masks, root)]
    names = [f'ann_file={_path(part.list_file, root)!r}'] if part.list_file else []
    return ['**data', *folders, *names, f'pipeline={"train" if split == "train" else "test"}_pipeline']


def _prefix(images: Path, masks: Path, root: Path | None) -> str:
    return f'data_prefix=dict(img_path={_path(images, root)!r}, seg_map_path={_path(masks, root)!r})'


def _detection_test(split: str, file: str, path: Path) -> list[str]:
    return [
        f"{split}_dataloader = dict(batch_size=1, num_workers=2, sampler=dict(type='DefaultSampler', shuffle=False),",
        *_call('    dataset=dict(', ['**data', file, 'test_mode=True', 'pipeline=test_pipeline'], '))'),
        f"{split}_evaluator = dict(type='CocoMetric', metric='bbox', ann_file={_path(path)!r})",
    ]


def _interval(length: int, name: str = 'max_iters', long: int = 100) -> str:
    """Returns the interval of validations: ten in a long training, one in a short one."""
    return f'{name} // 10' if length >= long else name


def _steps(*kinds: str) -> list[str]:
    return [f"dict(type='{kind}')" for kind in kinds]


def _call(start: str, parts: Sequence[str], end: str = ')') -> list[str]:
    """Fills lines with parts, each of which stays whole."""
    lines, line = [], start
    for index, part in enumerate(parts):
        piece = part + (end if index == len(parts) - 1 else ',')
        joined = line + piece if line == start else f'{line} {piece}'
        if len(joined) > WIDTH:
            lines.append(line)
            joined = '    ' + piece
        line = joined
    return [*lines, line]


def _path(path: Path, root: Path | None = None) -> str:
    return (path.relative_to(root) if root else path).as_posix()
