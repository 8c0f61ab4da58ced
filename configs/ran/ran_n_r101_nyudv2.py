"""RAN-n (equation 2) with ResNet-101 on NYUDv2, 40 classes, RGB.

    python tools/train.py configs/ran/ran_n_r101_nyudv2.py

Paper: mIoU 40.7 (table 5).
"""
_base_ = './deeplabv2_r101_nyudv2.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized'))
