"""RAN-n (equation 2) with ResNet-101 on PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/ran/ran_n_r101_voc12aug.py

Paper: mIoU 80.4 (table 4).
"""
_base_ = './deeplabv2_r101_voc12aug.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized'))
