"""RAN-n (equation 2) with ResNet-101 on PASCAL-Context, 59 classes.

    python tools/train.py configs/ran/ran_n_r101_pcontext.py

Paper: mIoU 47.3 (table 2 msc).
"""
_base_ = './deeplabv2_r101_pcontext.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized'))
