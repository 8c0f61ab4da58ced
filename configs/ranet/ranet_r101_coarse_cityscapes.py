"""RANet with ResNet-101 on the Cityscapes test server, 19 classes, with the coarse masks.

    python tools/train.py configs/ranet/ranet_r101_coarse_cityscapes.py

Paper: mIoU 83.0 (table 5).
All coarse masks of train_extra join train and val from the first iteration on.
tools/test.py <config> <checkpoint> --tta writes the PNGs for the test server into
work_dirs/ranet_r101_coarse_cityscapes/submission.
"""
_base_ = './ranet_r101_trainval_cityscapes.py'
train_dataloader = dict(dataset=dict(datasets=[*_base_.train_dataloader.dataset.datasets, dict(
    **_base_.dataset, seg_map_suffix='_gtCoarse_labelTrainIds.png', pipeline=_base_.train_pipeline,
    data_prefix=dict(img_path='leftImg8bit/train_extra', seg_map_path='gtCoarse/train_extra'))]))
test_evaluator = dict(output_dir='work_dirs/ranet_r101_coarse_cityscapes/submission')
