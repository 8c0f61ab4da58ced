"""RAN-n (equation 2): ResNet-18, CamVid, 11 classes.

    python tools/train.py configs/ran/ran_n_r18_camvid.py

Paper: no figure.
Not in the paper: a small data set and backbone to try RAN on. Chosen here: batch 10, crop 321 x 321, 4,000
iterations, learning rate 0.0025 (x10 on the classifiers), batch norm that learns, ImageNet weights.
"""
_base_ = './deeplabv2_r18_camvid.py'
model = dict(decode_head=dict(type='mmrev.ReverseAttentionHead', mode='normalized'))
