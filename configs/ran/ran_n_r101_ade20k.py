"""RAN-n (equation 2) with ResNet-101 on ADE20K, 150 classes.

    python tools/train.py configs/ran/ran_n_r101_ade20k.py

Paper: mIoU 35.3 (table 6).
"""
_base_ = './deeplabv2_r101_ade20k.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized'))
