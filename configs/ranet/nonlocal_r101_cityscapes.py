"""Non-local attention with ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/nonlocal_r101_cityscapes.py

Paper: mIoU 80.5 (table 1).
"""
_base_ = './fcn_r101_cityscapes.py'
model = dict(decode_head=dict(type='NLHead'))
