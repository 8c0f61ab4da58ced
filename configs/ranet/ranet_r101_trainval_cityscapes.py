"""RANet, ResNet-101, Cityscapes test server, 19 classes.

    python tools/train.py configs/ranet/ranet_r101_trainval_cityscapes.py

Paper: mIoU 82.4 (table 5).
Assumed (not in the paper): momentum, weight decay, scales of 0.7 to 2.1 and overlapping windows at test time, as in the
authors' code; no auxiliary loss. Which of its figures are of six test scales (--tta), the paper does not say.
Also assumed: training on train and val, so that nothing is left to validate on.
tools/test.py <config> <checkpoint> --tta writes the test server's PNGs into
work_dirs/ranet_r101_trainval_cityscapes/submission (pip install cityscapesscripts).
"""
_base_ = './ranet_r101_cityscapes.py'
train_dataloader = dict(dataset=dict(_delete_=True, type='ConcatDataset', datasets=[
    dict(**_base_.dataset, data_prefix=part, pipeline=_base_.train_pipeline)
    for part in (_base_.fine_train, _base_.fine_val)]))
val_dataloader = val_evaluator = val_cfg = None
test_dataloader = dict(dataset=dict(
    data_prefix=dict(_delete_=True, img_path='leftImg8bit/test'),
    pipeline=[dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]))
test_evaluator = dict(_delete_=True, type='CityscapesMetric', format_only=True, keep_results=True,
                      output_dir='work_dirs/ranet_r101_trainval_cityscapes/submission')
tta_pipeline = [dict(type='LoadImageFromFile'),
                dict(type='TestTimeAug', transforms=[_base_.tta_scales, [dict(type='PackSegInputs')]])]
