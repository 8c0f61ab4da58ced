"""Asymmetric non-local attention, ResNet-101, Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ann_r101_cityscapes.py

Paper: mIoU 81.0 (table 3), for 163 GFLOPs, 13 M parameters and 634 MB more than the backbone.
Assumed (not in the paper): momentum, weight decay, scales of 0.7 to 2.1 and overlapping windows at test time, as in the
authors' code; no auxiliary loss. Which of its figures are of six test scales (--tta), the paper does not say.
"""
_base_ = './fcn_r101_cityscapes.py'
model = dict(decode_head=dict(type='ANNHead', in_channels=[1024, 2048], in_index=[2, 3], project_channels=256))
