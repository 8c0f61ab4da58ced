"""Asymmetric non-local attention with ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ann_r101_cityscapes.py

Paper: delta GFLOPs 163, delta params M 13, delta memory MB 634, mIoU 81.0 (table 3).
"""
_base_ = './fcn_r101_cityscapes.py'
model = dict(decode_head=dict(type='ANNHead', in_channels=[1024, 2048], in_index=[2, 3], project_channels=256))
