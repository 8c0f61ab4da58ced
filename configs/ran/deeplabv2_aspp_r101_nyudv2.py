"""DeepLabv2-ASPP with ResNet-101 on NYUDv2, 40 classes, RGB.

    python tools/train.py configs/ran/deeplabv2_aspp_r101_nyudv2.py

Paper: mIoU 37.8 (table 5).
"""
_base_ = './deeplabv2_r101_nyudv2.py'
model = dict(decode_head=dict(type='mmrev.ASPPV2Head'))
