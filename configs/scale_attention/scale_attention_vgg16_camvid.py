"""Scale attention, all four modules, VGG16, CamVid, 11 classes.

    python tools/train.py configs/scale_attention/scale_attention_vgg16_camvid.py

Paper: no figure.
Not in the paper: a small data set to try the method on. Chosen here: batch 10, crop 321 x 321, 4,000 iterations,
learning rate 0.001 (x10 on the decoder), ImageNet weights.
"""
_base_ = './deeplab_lfov_vgg16_camvid.py'
model = dict(
    scales=(1.0, 0.5),
    fusion=dict(type='mmrev.ScaleAttentionHead', in_channels=[256, 512, 512, 1024], num_classes=_base_.num_classes,
                dilations=(12, 2), align_corners=True))
