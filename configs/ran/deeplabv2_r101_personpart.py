"""DeepLabv2 with a plain 3x3 classifier (the baseline): ResNet-101 on PASCAL Person-Part, background and 6 parts.

    python tools/train.py configs/ran/deeplabv2_r101_personpart.py

Paper: mIoU 64.9 (table 3).
"""
_base_ = ['../_base_/models/deeplabv2_r101.py', '../_base_/datasets/personpart.py', '../_base_/solvers/deeplabv2.py',
          '../_base_/schedules/poly_20k.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(num_classes=_base_.num_classes, dilation=1))
