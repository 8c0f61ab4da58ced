"""RANet with ResNet-101 on the Cityscapes test server, 19 classes.

    python tools/train.py configs/ranet/ranet_r101_trainval_cityscapes.py

Paper: mIoU 82.4 (table 5).
tools/test.py <config> <checkpoint> --tta writes the PNGs for the test server into
work_dirs/ranet_r101_trainval_cityscapes/submission.
"""
_base_ = ['../_base_/models/fcn_r101d8.py', '../_base_/datasets/cityscapes_trainval.py', '../_base_/solvers/ranet.py',
          '../_base_/schedules/linear_40k.py', '../_base_/runtime_ranet.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(type='mmrev.RegionAttentionHead', num_classes=_base_.num_classes),
             test_cfg=dict(crop_size=_base_.crop_size, stride=(513, 513)))
val_cfg = None
test_evaluator = dict(output_dir='work_dirs/ranet_r101_trainval_cityscapes/submission')
tta_pipeline = [dict(type='LoadImageFromFile'),
                dict(type='TestTimeAug', transforms=[_base_.tta_scales, [dict(type='PackSegInputs')]])]
