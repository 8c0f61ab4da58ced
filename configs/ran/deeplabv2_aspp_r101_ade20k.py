"""DeepLabv2-ASPP with ResNet-101 on ADE20K, 150 classes.

    python tools/train.py configs/ran/deeplabv2_aspp_r101_ade20k.py

Paper: mIoU 34.0 (table 6).
"""
_base_ = './deeplabv2_r101_ade20k.py'
model = dict(decode_head=dict(type='mmrev.ASPPV2Head'))
