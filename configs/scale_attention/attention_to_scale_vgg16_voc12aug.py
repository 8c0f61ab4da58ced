"""Attention-to-Scale (the base model: location attention only) with VGG16 on PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/scale_attention/attention_to_scale_vgg16_voc12aug.py

Paper: mIoU 64.74 (tables 1, 2).
"""
_base_ = './scale_attention_vgg16_voc12aug.py'
model = dict(fusion=dict(multi_stage=False, diverse_dilations=False, conv_per_scale=False, recalibration=None))
