"""Spatial pyramid pooling (PSPNet) with ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/spp_r101_cityscapes.py

Paper: mIoU 79.6 (table 1).
"""
_base_ = './fcn_r101_cityscapes.py'
model = dict(decode_head=dict(type='PSPHead'))
