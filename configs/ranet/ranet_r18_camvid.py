"""RANet: ResNet-18, CamVid, 11 classes.

    python tools/train.py configs/ranet/ranet_r18_camvid.py

Paper: no figure.
Not in the paper: a small data set and backbone to try RANet on. Chosen here: batch 10, crop 321 x 321, 4,000
iterations, learning rate 0.01, ImageNet weights.
"""
_base_ = './fcn_r18_camvid.py'
model = dict(decode_head=dict(type='mmrev.RegionAttentionHead'))
