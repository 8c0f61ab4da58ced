"""RANet (boundary map only) with ResNet-101 on Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ranet_r101_boundary_cityscapes.py

Paper: mIoU 80.8 (table 1).
The lines of equation 1 include their end points. Without them, no boundary lies between neighbours, and the whole image
is one region.
"""
_base_ = './ranet_r101_cityscapes.py'
model = dict(decode_head=dict(use_semantic=False, end_points=True))
