"""Trainings that take a second: tiny models on random data. Also calls of the command line from a test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import mmengine.config.config
import torch
import yapf.yapflib.yapf_api
from mmengine import Config
from mmengine.registry import DefaultScope
from mmengine.utils import ManagerMixin

from mmrev.testing import make_tiny_dataset

# mmengine formats the text of the config five times a run, and this takes as long as the run. mmengine 0.10.7 holds the
# function under a name of its own.
yapf.yapflib.yapf_api.FormatCode = mmengine.config.config.FormatCode = lambda text, **_: (text, True)
# seconds until a worker process sees that its training has ended
torch.utils.data._utils.MP_STATUS_CHECK_INTERVAL = 0.1
ENVIRONMENT = {**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''}


def segmentation(folder: Path, length: int = 4) -> Config:
    """RAN on a few CamVid-like images a split. Runs can be compared, because all randomness comes from the seed."""
    load = [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations'),
        dict(type='mmrev.CheckLabels', num_classes=11),
    ]
    return Config(
        dict(
            **_common(
                'mmseg',
                [
                    _loader(
                        folder,
                        split,
                        length,
                        dict(
                            type='mmrev.CamVidDataset',
                            data_root='CamVid',
                            data_prefix=dict(img_path=f'images/{split}', seg_map_path=f'annotations/{split}'),
                            pipeline=[*load, dict(type='PackSegInputs')],
                        ),
                    )
                    for split in ('train', 'val', 'test')
                ],
            ),
            model=dict(
                type='mmrev.MultiScaleEncoderDecoder',
                scales=(1.0, 0.5),
                train_cfg=dict(),
                test_cfg=dict(mode='whole'),
                data_preprocessor=dict(type='SegDataPreProcessor', size=(48, 64)),
                backbone=dict(
                    type='ResNet',
                    depth=18,
                    base_channels=4,
                    num_stages=2,
                    strides=(1, 2),
                    dilations=(1, 1),
                    out_indices=(0, 1),
                ),
                decode_head=dict(type='mmrev.ReverseAttentionHead', in_channels=8, in_index=1, num_classes=11),
            ),
            val_evaluator=dict(type='IoUMetric'),
            test_evaluator=dict(type='IoUMetric'),
            visualizer=dict(type='SegLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')]),
            tta_model=dict(type='SegTTAModel'),
            tta_pipeline=[
                dict(type='LoadImageFromFile'),
                dict(
                    type='TestTimeAug',
                    transforms=[
                        [dict(type='RandomFlip', prob=p) for p in (0.0, 1.0)],
                        [dict(type='LoadAnnotations')],
                        [dict(type='PackSegInputs')],
                    ],
                ),
            ],
        )
    )


def classification(folder: Path) -> Config:
    """mmpretrain's ResNet-18 on two folders of images."""
    return Config(
        dict(
            **_common(
                'mmpretrain',
                [
                    _loader(
                        folder,
                        split,
                        4,
                        dict(
                            type='CustomDataset',
                            data_root=split,
                            with_label=True,
                            metainfo=dict(classes=('cat', 'dog')),
                            pipeline=[dict(type='LoadImageFromFile'), dict(type='PackInputs')],
                        ),
                    )
                    for split in ('train', 'val', 'test')
                ],
            ),
            model=dict(
                type='ImageClassifier',
                backbone=dict(type='ResNet', depth=18, stem_channels=4, base_channels=4),
                neck=dict(type='GlobalAveragePooling'),
                head=dict(type='LinearClsHead', num_classes=2, in_channels=32, topk=(1,)),
            ),
            val_evaluator=dict(type='Accuracy', topk=(1,)),
            test_evaluator=dict(type='Accuracy', topk=(1,)),
            visualizer=dict(type='UniversalVisualizer', vis_backends=[dict(type='LocalVisBackend')]),
        )
    )


def detection(folder: Path, masks: bool = False) -> Config:
    """Faster or Mask R-CNN on a narrow RA-ResNet-18 and a few images with two boxes each."""
    load = dict(type='LoadAnnotations', with_bbox=True, with_mask=masks)
    narrow = dict(in_channels=8)
    loaders = [
        _loader(
            folder,
            split,
            4,
            dict(
                type='CocoDataset',
                data_root='coco',
                ann_file=f'annotations/instances_{split}2017.json',
                data_prefix=dict(img=f'{split}2017/'),
                test_mode=split == 'val',
                pipeline=[
                    dict(type='LoadImageFromFile'),
                    load,
                    dict(type='Resize', scale=(64, 48)),
                    dict(type='PackDetInputs'),
                ],
            ),
        )
        for split in ('train', 'val', 'val')
    ]
    evaluator = dict(
        type='CocoMetric',
        metric=['bbox', 'segm'] if masks else ['bbox'],
        ann_file=str(Path(loaders[1]['dataset']['data_root'], loaders[1]['dataset']['ann_file'])),
    )
    base = Config.fromfile(find_packaged('mmdet', f'{"mask" if masks else "faster"}-rcnn_r50_fpn.py'))
    base.merge_from_dict(
        dict(
            model=dict(
                backbone=dict(type='mmrev.RAResNet', depth=18, base_channels=4, init_cfg=None),
                neck=dict(in_channels=[4, 8, 16, 32], out_channels=8),
                rpn_head=dict(narrow, feat_channels=8),
                roi_head=dict(
                    bbox_roi_extractor=dict(out_channels=8),
                    bbox_head=dict(narrow, fc_out_channels=16),
                    **(
                        dict(
                            mask_roi_extractor=dict(out_channels=8),
                            mask_head=dict(narrow, num_convs=1, conv_out_channels=8),
                        )
                        if masks
                        else {}
                    ),
                ),
                train_cfg=dict(rpn_proposal=dict(max_per_img=20)),
                test_cfg=dict(rpn=dict(max_per_img=20), rcnn=dict(score_thr=0.0)),
            )
        )
    )
    cfg = Config(
        {**_common('mmdet', loaders), 'model': base.model, 'val_evaluator': evaluator, 'test_evaluator': evaluator}
    )
    cfg.visualizer = dict(type='DetLocalVisualizer', vis_backends=[dict(type='LocalVisBackend')])
    cfg.custom_hooks += [dict(type='mmrev.TemperatureAnnealingHook', epochs=2)]
    cfg.train_cfg.val_interval = 2
    return cfg


def find_packaged(host: str, name: str) -> Path:
    """Returns the path of a base model config in an installed OpenMMLab package."""
    return Path(next(iter(find_spec(host).submodule_search_locations)), '.mim/configs/_base_/models', name)


def _loader(folder: Path, split: str, length: int, dataset: dict) -> dict:
    train = split == 'train'
    dataset = make_tiny_dataset(dict(dataset, serialize_data=False), folder, length=length)
    return dict(
        batch_size=2 if train else 1,
        num_workers=0,
        dataset=dataset,
        sampler=dict(type='InfiniteSampler' if train else 'DefaultSampler', shuffle=train),
    )


def _common(scope: str, loaders: list[dict]) -> dict:
    visualization = {
        'mmseg': 'SegVisualizationHook',
        'mmdet': 'DetVisualizationHook',
        'mmpretrain': 'VisualizationHook',
    }[scope]
    return dict(
        default_scope=scope,
        log_processor=dict(by_epoch=False),
        randomness=dict(seed=0),
        env_cfg=dict(mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0)),
        train_dataloader=loaders[0],
        val_dataloader=loaders[1],
        test_dataloader=loaders[2],
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
        param_scheduler=[dict(type='PolyLR', begin=0, end=1000, by_epoch=False)],
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=2, val_interval=1000),
        val_cfg=dict(),
        test_cfg=dict(),
        custom_hooks=[dict(type='mmrev.CheckWeightsHook')],
        default_hooks=dict(
            logger=dict(type='LoggerHook', interval=1, log_metric_by_epoch=False),
            checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=2),
            visualization=dict(type=visualization),
        ),
    )


def save(cfg: Config, path: Path) -> str:
    """Writes a config for the command line."""
    cfg.dump(path)
    return str(path)


def call(main: Callable[[list[str]], int], *argv: str | Path) -> int:
    """Runs a command in this process as if it were the first: mmengine keeps loggers and visualizers by name."""
    pending = [ManagerMixin]
    while pending:
        cls = pending.pop()
        pending += cls.__subclasses__()
        if cls not in (ManagerMixin, DefaultScope):
            cls._instance_dict.clear()
    return main(list(map(str, argv)))


def error_line(capsys) -> str:
    """Returns the only line on stderr."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith('mmrev: '), lines
    return lines[0]


def logged(work_dir: Path) -> str:
    """Returns the log of all runs in a work dir."""
    return ''.join(path.read_text() for path in sorted(work_dir.glob('*/*.log')))


def start(*argv: str | Path) -> subprocess.Popen:
    """Starts ``mmrev ...`` in a new process group."""
    return subprocess.Popen(
        [sys.executable, '-m', 'mmrev', *map(str, argv)],
        env=ENVIRONMENT,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def interrupt(process: subprocess.Popen, work_dir: Path, iterations: int, patience: float = 120) -> tuple[int, str]:
    """Sends Ctrl-C to the whole group after some logged iterations. Returns the exit status and stderr."""
    deadline = time.monotonic() + patience
    try:
        return _interrupt_at(process, work_dir, iterations, deadline, patience)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def _interrupt_at(
    process: subprocess.Popen, work_dir: Path, iterations: int, deadline: float, patience: float
) -> tuple[int, str]:
    while sum(len(path.read_text().splitlines()) for path in work_dir.glob('*/vis_data/scalars.json')) < iterations:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=patience)
    return process.returncode, errors
