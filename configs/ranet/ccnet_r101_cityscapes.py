"""CCNet, ResNet-101, Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ccnet_r101_cityscapes.py

Paper: mIoU 81.1 (table 3), for 198 GFLOPs, 18 M parameters and 730 MB more than the backbone.
Assumed (not in the paper): momentum, weight decay, scales of 0.7 to 2.1 and overlapping windows at test time, as in the
authors' code; no auxiliary loss. Which of its figures are of six test scales (--tta), the paper does not say.
Needs the compiled operators of mmcv.
"""
_base_ = './fcn_r101_cityscapes.py'
model = dict(decode_head=dict(type='CCHead'))
