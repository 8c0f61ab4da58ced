"""DeepLabv2-LargeFOV (the baseline) with ResNet-101 on PASCAL-Context, 59 classes: one scale.

    python tools/train.py configs/ran/deeplabv2_r101_lfov_aug_pcontext.py

Paper: mIoU 43.2 (table 2 aug).
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(scales=(1.0, ))
