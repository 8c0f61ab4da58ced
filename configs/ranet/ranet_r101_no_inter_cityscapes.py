"""RANet without inter-region interaction, ResNet-101, Cityscapes, 19 classes.

    python tools/train.py configs/ranet/ranet_r101_no_inter_cityscapes.py

Paper: mIoU 81.1 (section 5.1).
Assumed (not in the paper): momentum, weight decay, scales of 0.7 to 2.1 and overlapping windows at test time, as in the
authors' code; no auxiliary loss. Which of its figures are of six test scales (--tta), the paper does not say.
"""
_base_ = './ranet_r101_cityscapes.py'
model = dict(decode_head=dict(inter=False))
