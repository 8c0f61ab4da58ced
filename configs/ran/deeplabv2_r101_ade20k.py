"""DeepLabv2-LargeFOV (the baseline) with ResNet-101 on ADE20K, 150 classes.

    python tools/train.py configs/ran/deeplabv2_r101_ade20k.py

Paper: mIoU 33.1 (table 6).
"""
_base_ = ['../_base_/models/deeplabv2_r101.py', '../_base_/datasets/ade20k.py', '../_base_/solvers/deeplabv2.py',
          '../_base_/schedules/poly_20k.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(num_classes=_base_.num_classes))
