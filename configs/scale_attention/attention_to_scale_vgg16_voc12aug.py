"""Attention-to-Scale, the base model (location attention alone), VGG16, PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/scale_attention/attention_to_scale_vgg16_voc12aug.py

Paper: mIoU 64.74 (tables 1 and 2).
Assumed (the paper prints none of it): DeepLab's batch 10, crop 321 x 321, random scales and mirroring, 20,000
iterations, learning rate 0.001.
"""
_base_ = './scale_attention_vgg16_voc12aug.py'
model = dict(fusion=dict(multi_stage=False, diverse_dilations=False, conv_per_scale=False, recalibration=None))
