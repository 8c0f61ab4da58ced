"""The text of a segmentation config: a difference to ``_base_/own_data``, with mmsegmentation's own data set."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from .config_text import NAMES, Choices, Text, as_text, class_lines, commands_for, fill, head, interval, steps
from .methods import BACKBONES, METHODS, backbone_line, model_lines
from .request import Request
from .segmentation import Part, Written


def segmentation_text(choices: Choices, data: Written, request: Request) -> Text:
    """Writes the config of a segmentation model."""
    test = data.parts.get('test', data.parts['val'])
    commands = commands_for(request, f'iter_{choices.iters}.pth', test.images)
    title = f'{METHODS[choices.method]} with {NAMES[choices.backbone]}, {len(data.classes)} classes'
    root, size = _common_root(data.parts.values()), choices.size
    lines = [
        *head(title, {split: part.count for split, part in data.parts.items()}, commands),
        "_base_ = str(__import__('mmrev').find_config('_base_/own_data'))",
        *class_lines(data.classes, data.palette, data.classes_file),
        *_folders(data.parts, root),
        *_data_lines(data, root),
        f'crop_size, scale, max_iters = ({size}, {size}), ({4 * size}, {size}), {choices.iters}',
        *_model_lines(choices, len(data.classes)),
        *_pipelines(choices.method),
        *fill(
            f'train_dataloader = dict(batch_size={choices.batch_size}, dataset=dict(',
            _loader(data.parts, 'train', root),
            '))',
        ),
        *fill('val_dataloader = dict(dataset=dict(', _loader(data.parts, 'val', root), '))'),
        *(
            fill('test_dataloader = dict(dataset=dict(', _loader(data.parts, 'test', root), '))')
            if 'test' in data.parts
            else ['test_dataloader = val_dataloader']
        ),
        "param_scheduler = [dict(type='PolyLR', power=0.9, eta_min=0, begin=0, end=max_iters, by_epoch=False)]",
        f'train_cfg = dict(max_iters=max_iters, val_interval={interval(choices.iters)})',
    ]
    return Text('\n'.join(lines) + '\n', *commands)


def _data_lines(data: Written, root: Path | None) -> list[str]:
    options = [
        "type='BaseSegDataset'",
        *([f'data_root={as_text(root)!r}'] if root else []),
        'metainfo=metainfo',
        f'img_suffix={data.suffixes[0]!r}',
        f'seg_map_suffix={data.suffixes[1]!r}',
        *(['reduce_zero_label=True'] if data.off_by_one else []),
        *([_prefix(data.parts['train'], root)] if _are_equal(data.parts) else []),
    ]
    return fill('data = dict(', options)


def _model_lines(choices: Choices, num_classes: int) -> list[str]:
    backbone = BACKBONES[choices.backbone]
    options = [
        'data_preprocessor=dict(size=crop_size)',
        backbone_line(choices.method, backbone, choices.weights, choices.prefix),
        *model_lines(choices.method, backbone, num_classes),
    ]
    return fill('model = dict(', options)


def _pipelines(method: str) -> list[str]:
    train = [
        *steps('LoadImageFromFile', 'LoadAnnotations'),
        "dict(type='RandomResize', scale=scale, ratio_range=(0.5, 2.0), keep_ratio=True)",
        "dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75)",
        "dict(type='RandomFlip', prob=0.5)",
        *steps('PhotoMetricDistortion', *(['mmrev.BoundaryLabels'] if method == 'ranet' else []), 'PackSegInputs'),
    ]
    test = [
        *steps('LoadImageFromFile'),
        "dict(type='Resize', scale=scale, keep_ratio=True)",
        *steps('LoadAnnotations', 'PackSegInputs'),
    ]
    return [*fill('train_pipeline = [', train, ']'), *fill('test_pipeline = [', test, ']')]


def _loader(parts: Mapping[str, Part], split: str, root: Path | None) -> list[str]:
    part = parts[split]
    if _are_equal(parts):
        folders = []
    elif root:
        folders = [_prefix(part, root)]
    else:
        folders = [
            f"data_prefix=dict(img_path=images + '/{part.images.name}', seg_map_path=masks + '/{part.masks.name}')"
        ]
    names = [f'ann_file={as_text(part.list_file, root)!r}'] if part.list_file else []
    return ['**data', *folders, *names, f'pipeline={"train" if split == "train" else "test"}_pipeline']


def _folders(parts: Mapping[str, Part], root: Path | None) -> list[str]:
    """Names the two folders, where those of the splits lie in them and have no common one."""
    if root or _are_equal(parts):
        return []
    part = parts['train']
    images, masks = (repr(as_text(folder.parent)) for folder in (part.images, part.masks))
    return [f'images = {images}', f'masks = {masks}']


def _are_equal(parts: Mapping[str, Part]) -> bool:
    """Returns whether the splits have the same folders, and differ in their lists."""
    return len({(part.images, part.masks) for part in parts.values()}) == 1


def _prefix(part: Part, root: Path | None) -> str:
    return f'data_prefix=dict(img_path={as_text(part.images, root)!r}, seg_map_path={as_text(part.masks, root)!r})'


def _common_root(parts: Iterable[Part]) -> Path | None:
    """Returns the folder that all paths lie in, if they have one."""
    paths = [path for part in parts for path in (part.images, part.masks, part.list_file) if path]
    if len({path.is_absolute() for path in paths}) > 1:
        return None
    root = Path(os.path.commonpath([path.parent if path.suffix else path for path in paths]))
    return None if root in (Path(), Path(root.anchor)) or '..' in root.parts else root
