"""FCN (the baseline) with ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/fcn_r101_cityscapes.py

Paper: mIoU 77.5 (section 5.1).
"""
_base_ = ['../_base_/models/fcn_r101d8.py', '../_base_/datasets/cityscapes.py', '../_base_/solvers/ranet.py',
          '../_base_/schedules/linear_40k.py', '../_base_/runtime_ranet.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size), decode_head=dict(num_classes=_base_.num_classes),
             test_cfg=dict(crop_size=_base_.crop_size, stride=(513, 513)))
