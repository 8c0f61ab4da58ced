"""DeepLabv2-LargeFOV (the baseline) with ResNet-101 on PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/ran/deeplabv2_r101_voc12aug.py

Paper: mIoU 79.1 (table 4).
"""
_base_ = ['../_base_/models/deeplabv2_r101.py', '../_base_/datasets/voc12aug.py', '../_base_/solvers/deeplabv2.py',
          '../_base_/schedules/poly_20k.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(num_classes=_base_.num_classes))
