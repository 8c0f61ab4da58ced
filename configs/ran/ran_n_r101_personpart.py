"""RAN-n (equation 2) with ResNet-101 on PASCAL Person-Part, background and 6 parts.

    python tools/train.py configs/ran/ran_n_r101_personpart.py

Paper: mIoU 66.5 (table 3).
"""
_base_ = './deeplabv2_r101_personpart.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized'))
