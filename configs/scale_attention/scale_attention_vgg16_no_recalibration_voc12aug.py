"""Base model++ (base model+ and diverse dilations) with VGG16 on PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/scale_attention/scale_attention_vgg16_no_recalibration_voc12aug.py

Paper: mIoU 66.83 (table 2).
"""
_base_ = './scale_attention_vgg16_voc12aug.py'
model = dict(fusion=dict(recalibration=None))
