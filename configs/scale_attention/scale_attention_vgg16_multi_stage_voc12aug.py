"""Base model+ (location attention, multi-stage features), VGG16, PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/scale_attention/scale_attention_vgg16_multi_stage_voc12aug.py

Paper: mIoU 65.80 (table 2).
Assumed (the paper prints none of it): DeepLab's batch 10, crop 321 x 321, random scales and mirroring, 20,000
iterations, learning rate 0.001.
"""
_base_ = './scale_attention_vgg16_voc12aug.py'
model = dict(fusion=dict(diverse_dilations=False, recalibration=None))
