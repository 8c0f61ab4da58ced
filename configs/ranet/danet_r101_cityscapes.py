"""DANet, ResNet-101, Cityscapes, 19 classes.

    python tools/train.py configs/ranet/danet_r101_cityscapes.py

Paper: mIoU 81.5 (table 3), for 264 GFLOPs, 23 M parameters and 2,611 MB more than the backbone.
Assumed (not in the paper): momentum, weight decay, scales of 0.7 to 2.1 and overlapping windows at test time, as in the
authors' code; no auxiliary loss. Which of its figures are of six test scales (--tta), the paper does not say.
"""
_base_ = './fcn_r101_cityscapes.py'
model = dict(decode_head=dict(type='DAHead', pam_channels=64))
