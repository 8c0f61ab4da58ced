"""DANet with ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/danet_r101_cityscapes.py

Paper: delta GFLOPs 264, delta params M 23, delta memory MB 2611, mIoU 81.5 (table 3).
"""
_base_ = './fcn_r101_cityscapes.py'
model = dict(decode_head=dict(type='DAHead', pam_channels=64))
