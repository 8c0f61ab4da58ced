"""Scale attention, all four modules, VGG16, PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/scale_attention/scale_attention_vgg16_voc12aug.py

Paper: mIoU 67.98 (tables 1 and 2).
Assumed (the paper prints none of it): DeepLab's batch 10, crop 321 x 321, random scales and mirroring, 20,000
iterations, learning rate 0.001.
Widths of the attention model: 256 a scale (ours), 512 (Attention-to-Scale).
"""
_base_ = './deeplab_lfov_vgg16_voc12aug.py'
model = dict(
    scales=(1.0, 0.5),
    fusion=dict(type='mmrev.ScaleAttentionHead', in_channels=[256, 512, 512, 1024], num_classes=_base_.num_classes,
                dilations=(12, 2), align_corners=True))
