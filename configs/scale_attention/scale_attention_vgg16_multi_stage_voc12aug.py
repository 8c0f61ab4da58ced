"""Base model+ (location attention, multi-stage features) with VGG16 on PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/scale_attention/scale_attention_vgg16_multi_stage_voc12aug.py

Paper: mIoU 65.80 (table 2).
"""
_base_ = './scale_attention_vgg16_voc12aug.py'
model = dict(fusion=dict(diverse_dilations=False, recalibration=None))
