"""RANet (K = 10) with ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ranet_r101_k10_cityscapes.py

Paper: mIoU 81.8 (table 2).
"""
_base_ = './ranet_r101_cityscapes.py'
model = dict(decode_head=dict(num_representatives=10))
