"""RANet, regions by the boundary map only, ResNet-101, Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ranet_r101_boundary_cityscapes.py

Paper: mIoU 80.8 (table 1).
Assumed (not in the paper): momentum, weight decay, scales of 0.7 to 2.1 and overlapping windows at test time, as in the
authors' code; no auxiliary loss. Which of its figures are of six test scales (--tta), the paper does not say.
As we read equation 1, neighbours have no boundary in between: all of the image is one region.
"""
_base_ = './ranet_r101_cityscapes.py'
model = dict(decode_head=dict(use_semantic=False))
