"""DeepLabv2-LargeFOV (the baseline) with ResNet-101 on NYUDv2, 40 classes, RGB.

    python tools/train.py configs/ran/deeplabv2_r101_nyudv2.py

Paper: mIoU 37.3 (table 5).
"""
_base_ = ['../_base_/models/deeplabv2_r101.py', '../_base_/datasets/nyudv2.py', '../_base_/solvers/deeplabv2.py',
          '../_base_/schedules/poly_20k.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(num_classes=_base_.num_classes))
