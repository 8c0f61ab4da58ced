"""RAN-n (equation 2) with ResNet-18 on CamVid, 11 classes.

    python tools/train.py configs/ran/ran_n_r18_camvid.py

Paper: no figure.
We chose this small data set and this small backbone to try the method on.
"""
_base_ = './deeplabv2_r18_camvid.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized'))
