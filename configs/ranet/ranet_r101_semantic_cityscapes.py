"""RANet (semantic map only) with ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ranet_r101_semantic_cityscapes.py

Paper: mIoU 81.3 (table 1).
"""
_base_ = './ranet_r101_cityscapes.py'
model = dict(decode_head=dict(use_boundary=False))
