"""Dual-Branch RAN (no attention) with ResNet-101 on PASCAL-Context, 59 classes.

    python tools/train.py configs/ran/ran_dual_r101_pcontext.py

Paper: mIoU 45.2 (table 2 msc).
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='dual'))
