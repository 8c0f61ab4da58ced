"""Base model++ (and diverse dilations; no recalibrating branch), VGG16, PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/scale_attention/scale_attention_vgg16_no_recalibration_voc12aug.py

Paper: mIoU 66.83 (table 2).
Assumed (the paper prints none of it): DeepLab's batch 10, crop 321 x 321, random scales and mirroring, 20,000
iterations, learning rate 0.001.
"""
_base_ = './scale_attention_vgg16_voc12aug.py'
model = dict(fusion=dict(recalibration=None))
