"""PSANet with ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/psanet_r101_cityscapes.py

Paper: delta GFLOPs 372, delta params M 50, delta memory MB 3124, mIoU 80.6 (table 3).
The head needs the compiled operators of mmcv. Its masks fit windows of 769 x 769.
"""
_base_ = './fcn_r101_cityscapes.py'
model = dict(decode_head=dict(type='PSAHead', mask_size=(97, 97)))
