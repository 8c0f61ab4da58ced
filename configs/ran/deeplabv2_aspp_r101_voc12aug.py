"""DeepLabv2-ASPP with ResNet-101 on PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/ran/deeplabv2_aspp_r101_voc12aug.py

Paper: mIoU 79.7 (table 4).
"""
_base_ = './deeplabv2_r101_voc12aug.py'
model = dict(decode_head=dict(type='mmrev.ASPPV2Head'))
