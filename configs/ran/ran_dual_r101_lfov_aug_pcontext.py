"""Dual-Branch RAN (no attention) with ResNet-101 on PASCAL-Context, 59 classes: one scale.

    python tools/train.py configs/ran/ran_dual_r101_lfov_aug_pcontext.py

Paper: mIoU 44.4 (table 2 aug).
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(scales=(1.0, ), decode_head=dict(type='mmrev.ReverseAttentionHead', mode='dual'))
