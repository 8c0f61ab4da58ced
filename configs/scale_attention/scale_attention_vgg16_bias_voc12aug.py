"""Scale attention whose recalibrating branch adds a bias, VGG16, PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/scale_attention/scale_attention_vgg16_bias_voc12aug.py

Paper: about 1 point of mIoU below multiplying, 67.98 (end of section 2.2).
Assumed (the paper prints none of it): DeepLab's batch 10, crop 321 x 321, random scales and mirroring, 20,000
iterations, learning rate 0.001.
"""
_base_ = './scale_attention_vgg16_voc12aug.py'
model = dict(fusion=dict(recalibration='add'))
