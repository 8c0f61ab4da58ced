"""CCNet with ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ccnet_r101_cityscapes.py

Paper: delta GFLOPs 198, delta params M 18, delta memory MB 730, mIoU 81.1 (table 3).
The head needs the compiled operators of mmcv.
"""
_base_ = './fcn_r101_cityscapes.py'
model = dict(decode_head=dict(type='CCHead'))
