"""Scale attention (the recalibrating branch adds a bias) with VGG16 on PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/scale_attention/scale_attention_vgg16_bias_voc12aug.py

Paper: no figure (section 2.2).
The text says that adding a bias gives about 1 point of mIoU less than multiplying (67.98).
"""
_base_ = './scale_attention_vgg16_voc12aug.py'
model = dict(fusion=dict(recalibration='add'))
